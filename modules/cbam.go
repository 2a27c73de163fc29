package modules

import "ysc2onnx/onnxbuild"

// cbamNames are the names under which forks' CBAM keeps its children.
type cbamNames struct {
	channel, spatial string // of the two attentions: "channel_attention"
	first, second    string // of the layers of the first one's perceptron: "f1", or "shared_MLP.0" in a Sequential
	conv             string // of the second one's convolution
	bias             bool   // of that convolution, without a checkpoint
}

// cbamForms are the forms of CBAM, the most frequent first.
var cbamForms = map[string]cbamNames{
	"f1":         {channel: "channel_attention", spatial: "spatial_attention", first: "f1", second: "f2", conv: "conv"},
	"fc1":        {channel: "channel_attention", spatial: "spatial_attention", first: "fc1", second: "fc2", conv: "conv1"},
	"ca":         {channel: "ca", spatial: "sa", first: "fc1", second: "fc2", conv: "conv1"},
	"shared_MLP": {channel: "channel_attention", spatial: "spatial_attention", first: "shared_MLP.0", second: "shared_MLP.2", conv: "conv2d", bias: true},
}

// cbamFlavours are the forms of CBAM by their tensors under a prefix: "" or "m.0.".
func cbamFlavours(prefix, suffix string) []Flavour {
	var list []Flavour
	for _, name := range []string{"f1", "fc1", "ca", "shared_MLP"} {
		n := cbamForms[name]
		in := func(parts ...string) string { return prefix + parts[0] + "." + parts[1] + ".weight" }
		list = append(list, Flavour{Name: name + suffix, Doc: "channel attention by " + n.first + ", spatial attention by " + n.conv,
			Keys: map[string]int{in(n.channel, n.first): 4, in(n.channel, n.second): 4, in(n.spatial, n.conv): 4}})
	}
	return list
}

var (
	cbamClass             = Class{Path: "models.common.CBAM", Aliases: []string{"cbam"}, Flavours: cbamFlavours("", "")}
	channelAttentionClass = Class{Path: "models.common.ChannelAttention", Aliases: []string{"ChannelAttentionModule"}}
	spatialAttentionClass = Class{Path: "models.common.SpatialAttention", Aliases: []string{"SpatialAttentionModule"}, Inert: []string{"kernel_size"}}
)

var cbamSpec = Spec{
	Name: "CBAM", Class: &cbamClass, Wiring: Attends, Source: "Woo et al., ECCV 2018; YOLOv5's issue 11785 and forks",
	Doc: "attention to channels, then to places: c2, ratio=16, kernel_size=7",
	New: func(a *Args) Module {
		return NewCBAM(a.C2, a.Positive("ratio", 16), a.Odd("kernel_size", 7))
	},
}

// CBAM weighs channels by their mean and their maximum, and then places by those of their channels (Woo et al., ECCV 2018;
// the names are those of the code in YOLOv5's issue 11785 and of forks). [N, c, H, W], same out.
type CBAM struct{ c, ratio, kernel int }

// NewCBAM makes a CBAM whose perceptron divides the channels by ratio, with a convolution of kernel x kernel over places.
func NewCBAM(c, ratio, kernel int) *CBAM { return &CBAM{c, ratio, kernel} }

// Class is CBAM.
func (m *CBAM) Class() *Class { return &cbamClass }

// Forward is y · sa(y) with y = x · ca(x).
func (m *CBAM) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return m.attend(s, x, cbamForms[s.Flavour()])
}

// attend is the forward in the scope of a module that has the two attentions as children.
func (m *CBAM) attend(s *Scope, x *onnxbuild.Value, names cbamNames) *onnxbuild.Value {
	x = s.Call(names.channel, &channelAttention{m.c, m.c / m.ratio, names}, x)
	return s.Call(names.spatial, &spatialAttention{m.kernel, names}, x)
}

// channelAttention is x · σ(mlp(mean) + mlp(max)), of each channel's mean and maximum. Whether the class or its parent
// multiplies is the same.
type channelAttention struct {
	c, hidden int
	names     cbamNames
}

// Class is ChannelAttention.
func (m *channelAttention) Class() *Class { return &channelAttentionClass }

// Forward weighs the channels.
func (m *channelAttention) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	hidden := s.Rows(m.names.first+".weight", m.hidden)
	first, second := pointwise(m.c, hidden), pointwise(hidden, m.c)
	first.Bias, second.Bias = s.Has(m.names.first+".bias"), s.Has(m.names.second+".bias")
	relu := ReLU()
	mlp := func(pooled *onnxbuild.Value) *onnxbuild.Value {
		if m.names.first == "shared_MLP.0" {
			return s.Call("shared_MLP", Sequential{first, relu, second}, pooled)
		}
		return s.Call(m.names.second, second, s.CallActivation(s.AnyOf("relu", "relu1"), relu, s.Call(m.names.first, first, pooled)))
	}
	sum := s.Add(mlp(s.Call("avg_pool", AdaptiveAvgPool2d{}, x)), mlp(s.Call("max_pool", AdaptiveMaxPool2d{}, x)))
	return s.Mul(x, s.Call(s.AnyOf("sigmoid", "act"), Sigmoid(), sum))
}

// spatialAttention is x · σ(conv(cat(mean, max))), of the channels' mean and maximum at each place.
type spatialAttention struct {
	kernel int
	names  cbamNames
}

// Class is SpatialAttention.
func (m *spatialAttention) Class() *Class { return &spatialAttentionClass }

// Forward weighs the places.
func (m *spatialAttention) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	kernel, bias := m.kernel, m.names.bias
	if shape, ok := s.TensorShape(m.names.conv + ".weight"); ok && len(shape) == 4 && shape[2] >= 1 && shape[2] <= limit {
		kernel, bias = int(shape[2]), s.Has(m.names.conv+".bias")
	}
	conv := &Conv2d{C1: 2, C2: 1, Kernel: square(kernel), Stride: square(1), Pad: square(kernel / 2), Dilation: square(1), Groups: 1, Bias: bias}
	both := s.Concat(1, s.ReduceMean(x, 1), s.Reduce(onnxbuild.Max, x, true, 1))
	return s.Mul(x, s.Call(s.AnyOf("sigmoid", "act"), Sigmoid(), s.Call(m.names.conv, conv, both)))
}
