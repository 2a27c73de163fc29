package modules

// builtin lists the modules that [Builtin] registers. Each is defined in the file of its name.
var builtin = []Spec{
	convSpec, dwConvSpec, focusSpec, mixConv2dSpec, crossConvSpec, ghostConvSpec,
	bottleneckSpec, bottleneckCSPSpec, ghostBottleneckSpec,
	c3Spec, c3xSpec, c3GhostSpec, c3SPPSpec, c3TRSpec,
	c3ScConvSpec, c3SSpec, c3ScSCConvSpec, c3SCConvSpec, c2fScConvSpec, c2fSCConvSpec,
	scConvSpec, scConvNameSpec,
	sppSpec, sppfSpec, sppcspcSpec, sppfcspcSpec,
	shuffleStemSpec, shuffleBlockSpec, shuffleV2Spec, stemBlockSpec, blazeBlockSpec, doubleBlazeBlockSpec,
	c3PrunedSpec,
	c3PrunedNoResSpec,
	sppPrunedSpec,
	sppfPrunedSpec,
	bifpnAdd2Spec, bifpnAdd3Spec, bifpnConcat2Spec, bifpnConcat3Spec, concatBiFPNSpec,
	c2fSpec, spaceToDepthSpec, gsConvSpec, vovGSCSPSpec, repConvSpec, repVGGBlockSpec, carafeSpec,
	convBNHswishSpec, invertedResidualSpec, mobileNetV3Spec, mobileBneckSpec, qaRepVGGSpec,
	tripletSpec, skSpec, coordConvSpec, asppSpec, basicRFBSpec,
	horBlockSpec, c3HBSpec, convNeXtBlockSpec, cNeBSpec, cot3Spec, bot3Spec, c3STRSpec, dcnSpec, c3DCNSpec,
	upsampleSpec, conv2dSpec, convTranspose2dSpec, dwConvTranspose2dSpec, batchNorm2dSpec, maxPool2dSpec, zeroPad2dSpec, identitySpec,
	concatSpec, sumSpec, contractSpec, expandSpec,
	cbamSpec, coordAttSpec, seSpec, seLayerSpec, seAttentionSpec, ecaSpec, simAMSpec, gamSpec, namSpec, shuffleAttentionSpec, emaSpec,
	c3CBAMSpec, cbamC3Spec, c3SESpec, c3ECASpec, c3CASpec,
	detectSpec, segmentSpec, decoupledDetectSpec, asffDetectSpec, iDetectSpec, iAuxDetectSpec, classifySpec,
}

// Builtin is a new registry of the modules that are known here; more can be added.
func Builtin() *Registry {
	r := NewRegistry()
	for _, s := range builtin {
		if err := r.Add(s); err != nil {
			panic(err) // a mistake in the list above, which every test would meet
		}
	}
	return r
}
