package modules

import (
	"slices"
	"strings"
)

// Class is a Python class whose forward is known here: what a checkpoint's module may be, and what it may hold besides
// its tensors and the children that its forward calls.
type Class struct {
	Path    string   // as PyTorch prints it: "models.common.Conv"
	Aliases []string // other names that forks give the same code
	// Inert are attributes that change no number of the forward. What it reads with [Scope.Number] and its kin need not be
	// listed. Any other attribute of a checkpoint's module is refused: it may belong to another forward.
	Inert []string
	// Flavours are the forms in which the code occurs, the default first; nil where there is only one.
	Flavours []Flavour
}

// Name is the class without its Python module: "Conv".
func (c *Class) Name() string { return className(c.Path) }

// fits reports whether a checkpoint's module of the given class has this class's forward. Classes of torch.nn are those of
// PyTorch itself; others are known by their own name, since forks and packages move the file that they are in.
func (c *Class) fits(path string) bool {
	torch := strings.HasPrefix(c.Path, "torch.")
	if torch != strings.HasPrefix(path, "torch.") {
		return false
	}
	name := className(path)
	return name == c.Name() || slices.Contains(c.Aliases, name)
}

// className is the last part of a Python class path.
func className(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// bookkeeping are attributes that YOLOv5's parser and PyTorch leave on any module; the parser's i, f and type are compared
// with the YAML elsewhere.
var bookkeeping = []string{"i", "f", "type", "np", "inplace", "training", "export"}

// idle are the classes that return their input in eval mode. A module may hold them wherever it likes.
var idle = []*Class{
	{Path: "torch.nn.modules.linear.Identity"},
	{Path: "torch.nn.modules.dropout.Dropout"},
	{Path: "torch.nn.modules.dropout.Dropout1d"},
	{Path: "torch.nn.modules.dropout.Dropout2d"},
	{Path: "torch.nn.modules.dropout.Dropout3d"},
	{Path: "torch.nn.modules.dropout.AlphaDropout"},
	{Path: "torch.nn.modules.dropout.FeatureAlphaDropout"},
}
