package modules

import (
	"fmt"
	"strings"
	"unicode"

	"ysc2onnx/diag"
)

// The names of modules in other people's code: YOLOv5's own, and those of torch.nn and of forks that are not converted. A row that
// has one of them means that module, and not a registered one of a similar name.

// ownNames are the modules of YOLOv5 itself, releases 1.0 to 7.0, that a row can name.
var ownNames = nameSet(`
	AutoShape Bottleneck BottleneckCSP C3 C3Ghost C3SPP C3TR C3x Classify Concat Contract Conv CrossConv DWConv DWConvTranspose2d
	Detect Expand Flatten Focus GhostBottleneck GhostConv MixConv2d MixDepthwiseConv2d NMS Proto SPP SPPF Segment Sum
	TransformerBlock TransformerLayer`)

// ownConverted are the modules of YOLOv5 itself that are converted.
var ownConverted = nameSet(`
	Bottleneck BottleneckCSP C3 C3Ghost C3SPP C3TR C3x Classify Concat Contract Conv CrossConv DWConv DWConvTranspose2d Detect Expand
	Focus GhostBottleneck GhostConv MixConv2d SPP SPPF Segment Sum`)

// torchNames are the modules of torch.nn that a row can name, after "nn.".
var torchNames = nameSet(`
	AdaptiveAvgPool2d AdaptiveMaxPool2d AvgPool2d CELU ChannelShuffle Conv1d Conv3d Dropout Dropout2d ELU Flatten Fold GELU GLU
	GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh InstanceNorm2d LayerNorm LeakyReLU Linear LocalResponseNorm LogSigmoid
	MaxUnpool2d Mish MultiheadAttention PReLU PixelShuffle PixelUnshuffle RReLU ReLU ReLU6 ReflectionPad2d ReplicationPad2d SELU
	Sequential SiLU Sigmoid Softmax Softmax2d Softplus Softshrink Softsign SyncBatchNorm Tanh Tanhshrink Unflatten Unfold
	UpsamplingBilinear2d UpsamplingNearest2d`)

// forkNames are modules of YOLOv5's forks and kin, of the YAMLs that are published for them.
var forkNames = nameSet(`
	A2C2f ACmix ADown AFPN AKConv ASFF ASFF2 ASFF3 ASFFV5 BAM BAMBlock BiFormer BiFPN BiLevelRoutingAttention BoTNet
	Bottleneck_SCConv Bottleneck_ScConv bottleneck_transformer BottleneckCSP2 BottleneckCSPA BottleneckCSPB BottleneckCSPC
	BottleneckCSPF BottleneckCSPL BottleneckCSPLG BottleneckCSPSE BottleneckCSPSEA BottleneckMOB C2 C2f_DCN C2fCIB C2PSA
	C3_Attention C3_CoT C3_DCNv2 C3_DSConv C3_Faster C3_GAM C3_GhostV2 C3_Res2Block C3CIB C3DC C3F C3Faster C3GAM C3k C3k2 C3NAM
	C3RFEM C3SimAM CAM CARepC3 cbam CBAMBottleneck CBFuse CBH CBL CBLinear CBS CCNet ChannelAttention ChannelAttentionModule CNeXt
	Concat_BiFPN Conv2 Conv_BN_LeakyReLU conv_bn_relu ConvNeXt CoT CoTAttention CoTBottleneck CPCA CrissCrossAttention
	CrossAttention CSPStage DANet DCN DCNConv DCNv3 DConv DecoupledHead DeformConv2d DFL DownC DSConv DualConv DW dw_conv DWBlock
	DWRBlock DWRes DyHead DyHeadBlock Dynamic_conv2d DynamicConv eca eca_block ECA_Layer ECAAttention ECALayer EffectiveSELayer
	EffectiveSEModule ela ELAN ELAN1 ESEModule EVCBlock Faster_Block FasterBlock FasterNetBlock GCBlock GhostBottleneckV2 GhostC3
	GhostConvV2 GhostModuleV2 GlobalContext GNConv GnConv GSBottleneck GSBottleneckC GSConvE GSConvns HAttention HGBlock HGStem
	HorC3 HorNet IKeypoint ImplicitA ImplicitM Inception_ShuffleNet InceptionConv InvertedResidual Involution involution IRMB iRMB
	LightConv LKA LSKA LSKBlock LSKblock MBConv MBConvBlock MHSA MixConv MLCA mobile_bneck MobileBottleneck MobileOne MobileOneBlock
	MobileViT MobileViTAttention MobileViTBlock MP MP1 MP2 MSCA NonLocal NonLocalBlock ODConv ODConv2d ODConv_3rd OREPA
	ParNetAttention Partial_conv3 PartialConv Patch_Embed PatchEmbed PatchEmbed_FasterNet PatchMerging PatchMerging_FasterNet PConv
	PolarizedSelfAttention PSA PSABlock PSAModule pw_conv PyConv ReOrg RepBlock RepBottleneck RepC3 RepConv_OREPA RepConvN
	RepLKBlock RepNCSPELAN4 RepResX RepVGG RepVggBlock RepViTBlock ResBlock ResBlock_CBAM ResNetBlock ResXCSP RFAConv RFB RFBblock
	RFCBAMConv RFEM RobustConv RobustConv2 RTDETRDecoder S2Attention SAC SAConv SAM SC_Conv Scale_Concat SCConvBottleneck SCDown se
	se_block SEAM SEBottleneck SegmentHead SequentialPolarizedSelfAttention SGBlock SGE Shortcut ShuffleAttn ShuffleBlock
	ShuffleNetV2 ShuffleNetV2_InvertedResidual ShuffleV2_Block simam SimConv SimCSPSPPF SimFusion_3in SimFusion_4in SimSPPF SK
	SKConv SKNet SOCA SP SpaceToDepth SpatialAttention SpatialAttentionModule SPConv SPDConv SplitAttention SPP_CSP
	SPPCSP SPPCSPC_group SPPELAN SPPF_LSKA SPPFast SPPFCSPC_group SPPRFEM ST2CSPA ST2CSPB ST2CSPC StarBlock STCSPA STCSPB STCSPC
	stem stem_block Swin_Transformer SwinTransformer SwinTransformer2Block SwinTransformerBlock SwinTransformerLayer TorchVision
	TransformerEncoder TSCODE_Detect UIB UpSampleConv v10Detect VanillaBlock VanillaStem VoVCSP VoVGSCSPC
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
	if Builtin().Find(name) != nil {
		return fmt.Sprintf("%s is not among the modules that this program registers", name)
	}
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
