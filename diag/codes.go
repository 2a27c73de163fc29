package diag

// Code names a kind of warning, for the comments and flags that silence it: `# ysc2onnx: allow stale-from`.
type Code string

// The codes of all warnings; [Code.Meaning] says what they stand for.
const (
	StaleFrom      Code = "stale-from"
	UnusedLayer    Code = "unused-layer"
	ReadTwice      Code = "read-twice"
	LoneConcat     Code = "lone-concat"
	ZeroNumber     Code = "zero-number"
	IdleNumber     Code = "idle-number"
	EmptyHead      Code = "empty-head"
	UnknownKey     Code = "unknown-key"
	RepeatedKey    Code = "repeated-key"
	BuiltinName    Code = "builtin-name"
	NestedText     Code = "nested-text"
	NotASCII       Code = "not-ascii"
	ClassNames     Code = "class-names"
	ModuleSpelling Code = "module-spelling"
	ScConvGroups   Code = "scconv-groups"
	ScConvFormula  Code = "scconv-formula"
	Strides        Code = "strides"
	DangerousNames Code = "dangerous-names"
	NotFinite      Code = "not-finite"
)

// meanings say what each code stands for, in the order in which the documentation has them.
var meanings = []struct {
	code    Code
	meaning string
}{
	{StaleFrom, "an index that was not moved with an inserted or removed row"},
	{UnusedLayer, "a layer that nothing reads"},
	{ReadTwice, "a row that reads one layer twice"},
	{LoneConcat, "a Concat of one layer"},
	{ZeroNumber, "a row's number 0, which leaves nothing out"},
	{IdleNumber, "a row's number that changes nothing"},
	{EmptyHead, "a head without layers"},
	{UnknownKey, "a key that YOLOv5 does not read"},
	{RepeatedKey, "a key that occurs twice"},
	{BuiltinName, "text that YOLOv5 takes for a function of Python"},
	{NestedText, "text in a list that would be a value outside it"},
	{NotASCII, "characters that YOLOv5 leaves out"},
	{ClassNames, "names of classes that do not fit nc"},
	{ModuleSpelling, "a name that means another module than it suggests"},
	{ScConvGroups, "ScConv's threshold, given where groups are meant"},
	{ScConvFormula, "a checkpoint that leaves the formula of its ScConv open"},
	{Strides, "a head whose inputs or anchors are not in the order of their strides"},
	{DangerousNames, "functions that loading the checkpoint with PyTorch would call"},
	{NotFinite, "weights that are NaN or infinite"},
}

// Codes lists all codes.
func Codes() []Code {
	list := make([]Code, len(meanings))
	for i, m := range meanings {
		list[i] = m.code
	}
	return list
}

// Meaning says what a code stands for; "" for one that no warning has.
func (c Code) Meaning() string {
	for _, m := range meanings {
		if m.code == c {
			return m.meaning
		}
	}
	return ""
}
