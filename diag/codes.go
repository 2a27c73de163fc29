package diag

// Code names a kind of warning, for the comments and flags that silence it: `# ysc2onnx: allow stale-from`.
type Code string

// The codes of all warnings.
const (
	StaleFrom      Code = "stale-from"      // an index that was not moved with an inserted or removed row
	UnusedLayer    Code = "unused-layer"    // a layer that nothing reads
	ReadTwice      Code = "read-twice"      // a row that reads one layer twice
	LoneConcat     Code = "lone-concat"     // a Concat of one layer
	ZeroNumber     Code = "zero-number"     // a row's number 0, which leaves nothing out
	IdleNumber     Code = "idle-number"     // a row's number that changes nothing
	EmptyHead      Code = "empty-head"      // a head without layers
	UnknownKey     Code = "unknown-key"     // a key that YOLOv5 does not read
	RepeatedKey    Code = "repeated-key"    // a key that stands twice
	BuiltinName    Code = "builtin-name"    // text that YOLOv5 takes for a function of Python
	NestedText     Code = "nested-text"     // text in a list that would be a value outside it
	NotASCII       Code = "not-ascii"       // characters that YOLOv5 leaves out
	ClassNames     Code = "class-names"     // names of classes that do not fit nc
	ModuleSpelling Code = "module-spelling" // a name that means another module than it suggests
	ScConvGroups   Code = "scconv-groups"   // ScConv's threshold, given where groups are meant
	ScConvFormula  Code = "scconv-formula"  // a checkpoint that leaves the formula of its ScConv open
	Strides        Code = "strides"         // a head whose inputs or anchors are not in the order of their strides
	DangerousNames Code = "dangerous-names" // functions that loading the checkpoint with PyTorch would call
	NotFinite      Code = "not-finite"      // weights that are NaN or infinite
)

// Codes lists all codes, in the order in which the documentation has them.
func Codes() []Code {
	return []Code{
		StaleFrom, UnusedLayer, ReadTwice, LoneConcat, ZeroNumber, IdleNumber, EmptyHead, UnknownKey, RepeatedKey, BuiltinName, NestedText,
		NotASCII, ClassNames, ModuleSpelling, ScConvGroups, ScConvFormula, Strides, DangerousNames, NotFinite,
	}
}
