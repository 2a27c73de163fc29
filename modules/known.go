package modules

import (
	"fmt"
	"strings"
	"unicode"

	"ysc2onnx/diag"
)

// The names of modules that are in other people's code. A row that names one which is not registered means that one, not a
// registered module of a similar name.

// ownNames are the modules of YOLOv5 itself, releases 1.0 to 7.0, that a row can name.
var ownNames = nameSet(`
	AutoShape Bottleneck BottleneckCSP C3 C3Ghost C3SPP C3TR C3x Classify Concat Contract Conv CrossConv DWConv DWConvTranspose2d
	Detect Expand Flatten Focus GhostBottleneck GhostConv MixConv2d MixDepthwiseConv2d NMS Proto SPP SPPF Segment Sum
	TransformerBlock TransformerLayer`)

// torchNames are the modules of torch.nn that a row can name, after "nn.".
var torchNames = nameSet(`
	AdaptiveAvgPool2d AdaptiveMaxPool2d AvgPool2d BatchNorm2d CELU ChannelShuffle Conv1d Conv2d Conv3d ConvTranspose2d Dropout
	Dropout2d ELU Flatten Fold GELU GLU GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh Identity InstanceNorm2d LayerNorm
	LeakyReLU Linear LocalResponseNorm LogSigmoid MaxPool2d MaxUnpool2d Mish MultiheadAttention PReLU PixelShuffle PixelUnshuffle
	RReLU ReLU ReLU6 ReflectionPad2d ReplicationPad2d SELU Sequential SiLU Sigmoid Softmax Softmax2d Softplus Softshrink Softsign
	SyncBatchNorm Tanh Tanhshrink Unflatten Unfold Upsample UpsamplingBilinear2d UpsamplingNearest2d ZeroPad2d`)

// forkNames are modules of YOLOv5's forks and kin, of the YAMLs that are published for them.
var forkNames = nameSet(`
	A2C2f ACmix ADown AFPN AKConv ASFF ASFF2 ASFF3 ASFF_Detect ASFFV5 ASPP BAM BAMBlock BiFormer BiFPN BiLevelRoutingAttention BoT3
	BoTNet Bottleneck_SCConv Bottleneck_ScConv bottleneck_transformer BottleneckCSP2 BottleneckCSPA BottleneckCSPB BottleneckCSPC
	BottleneckCSPF BottleneckCSPL BottleneckCSPLG BottleneckCSPSE BottleneckCSPSEA BottleneckMOB C2 C2f_DCN C2f_SCConv C2f_ScConv
	C2fCIB C2PSA C3_Attention C3_CA C3_CBAM C3_CoT C3_DCN C3_DCNv2 C3_DSConv C3_ECA C3_Faster C3_GAM C3_GhostV2 C3_Res2Block C3_S
	C3_SCConv C3_ScConv C3_ScSCConv C3_SE C3CA C3CBAM C3CIB C3CoordAtt C3DC C3ECA C3F C3Faster C3GAM C3HB C3k C3k2 C3NAM C3RFEM C3SE
	C3SimAM C3STR CA CAM CARepC3 CBAM cbam CBAMBottleneck CBAMC3 CBFuse CBH CBL CBLinear CBS CCNet ChannelAttention
	ChannelAttentionModule CNeB CNeXt Concat_BiFPN Conv2 conv_bn_hswish Conv_BN_LeakyReLU conv_bn_relu ConvNeXt ConvNeXtBlock
	CoordAtt CoordConv CoT CoT3 CoTAttention CoTBottleneck CPCA CrissCrossAttention CrossAttention CSPStage DANet DCN DCNConv DCNv2
	DCNv3 DConv Decoupled_Detect DecoupledHead DeformConv2d DFL DownC DSConv DualConv DW dw_conv DWBlock DWRBlock DWRes DyHead
	DyHeadBlock Dynamic_conv2d DynamicConv ECA eca eca_block ECA_Layer eca_layer ECAAttention ECALayer EffectiveSELayer
	EffectiveSEModule ela ELAN ELAN1 EMA ESEModule EVCBlock Faster_Block FasterBlock FasterNetBlock GAM GAM_Attention GAMAttention
	GCBlock GhostBottleneckV2 GhostC3 GhostConvV2 GhostModuleV2 GlobalContext GNConv GnConv GSBottleneck GSBottleneckC GSConvE
	GSConvns HAttention HGBlock HGStem HorBlock HorC3 HorNet IAuxDetect IDetect IKeypoint ImplicitA ImplicitM Inception_ShuffleNet
	InceptionConv InvertedResidual Involution involution IRMB iRMB LightConv LKA LSKA LSKBlock LSKblock MBConv MBConvBlock MHSA
	MixConv MLCA mobile_bneck MobileBottleneck MobileNetV3 MobileNetV3_InvertedResidual MobileOne MobileOneBlock mobilev3_bneck
	MobileViT MobileViTAttention MobileViTBlock MP MP1 MP2 MSCA NAM NAMAttention NonLocal NonLocalBlock ODConv ODConv2d ODConv_3rd
	OREPA ParNetAttention Partial_conv3 PartialConv Patch_Embed PatchEmbed PatchEmbed_FasterNet PatchMerging PatchMerging_FasterNet
	PConv PolarizedSelfAttention PSA PSABlock PSAModule pw_conv PyConv QARepVGGB QARepVGGBlock ReOrg RepBlock RepBottleneck RepC3
	RepConv_OREPA RepConvN RepLKBlock RepNCSPELAN4 RepResX RepVGG RepVggBlock RepViTBlock ResBlock ResBlock_CBAM ResNetBlock ResXCSP
	RFAConv RFB RFBblock RFCBAMConv RFEM RobustConv RobustConv2 RTDETRDecoder S2Attention SAC SAConv SAM SC_Conv Scale_Concat SCCONV
	SCConv ScConv SCConvBottleneck SCDown SE se se_block SEAM SEAttention SEBlock SEBottleneck SegmentHead SELayer
	SequentialPolarizedSelfAttention SGBlock SGE Shortcut ShuffleAttention ShuffleAttn ShuffleBlock ShuffleNetV2
	ShuffleNetV2_InvertedResidual ShuffleV2_Block SimAM Simam simam SimConv SimCSPSPPF SimFusion_3in SimFusion_4in SimSPPF SK
	SKAttention SKConv SKNet SOCA SP SpaceToDepth SpatialAttention SpatialAttentionModule SPConv SPDConv SplitAttention SPP_CSP
	SPPCSP SPPCSPC_group SPPELAN SPPF_LSKA SPPFast SPPFCSPC_group SPPRFEM ST2CSPA ST2CSPB ST2CSPC StarBlock STCSPA STCSPB STCSPC
	stem stem_block Swin_Transformer SwinTransformer SwinTransformer2Block SwinTransformerBlock SwinTransformerLayer TorchVision
	TransformerEncoder TripletAttention TSCODE_Detect UIB UpSampleConv v10Detect VanillaBlock VanillaStem VoVCSP VoVGSCSPC
	WeightedAdd WorldDetect WTConv`)

func nameSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(list) {
		set[name] = true
	}
	return set
}

// unknownText says what is known of the name of a module that is not registered; registered are those that are.
func unknownText(name string, registered []string) string {
	last := className(name)
	switch outer := strings.TrimSuffix(strings.TrimSuffix(name, last), "."); {
	case (outer == "nn" || outer == "torch.nn") && torchNames[last]:
		return fmt.Sprintf("torch.nn's %s is not converted yet", last)
	case outer == "" && ownNames[last]:
		return fmt.Sprintf("YOLOv5's %s is not converted yet", last)
	case outer == "" && forkNames[last]:
		return fmt.Sprintf("%s of YOLOv5 forks is not converted yet", last)
	}
	if near, ok := diag.Suggest(name, registered); ok && typo(name, near) {
		return fmt.Sprintf("there is no module %q: did you mean %s?", name, near)
	}
	return fmt.Sprintf("there is no module %q, neither in YOLOv5 nor in forks of it that are known here", name)
}

// typo says whether a name may be a slip of the hand for a near one, and not the name of another module: it is long enough to
// tell, begins with the same letter and has the same numbers in it.
func typo(name, near string) bool {
	if strings.EqualFold(name, near) {
		return true
	}
	digits := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return r
			}
			return -1
		}, s)
	}
	return len(name) > 3 && strings.EqualFold(name[:1], near[:1]) && digits(name) == digits(near)
}
