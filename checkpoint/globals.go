package checkpoint

import (
	"cmp"
	"slices"
	"strings"
)

// Risk says what loading a file with Python would do with a name in it. Reading it here does nothing in any case.
type Risk int

// The risks, the worst first.
const (
	Dangerous Risk = iota // runs programs or code, or reaches for any attribute: no checkpoint needs it
	Unknown               // code from outside of PyTorch, numpy and YOLOv5
	Ordinary              // what checkpoints of YOLOv5 are made of
)

func (r Risk) String() string {
	return [...]string{"dangerous", "unknown", "ordinary"}[r]
}

// GlobalUse is a name that the pickle mentions.
type GlobalUse struct {
	Global
	Risk  Risk
	Named int // how often the pickle names it
	Calls int // how often the pickle calls it
}

// Risky are the names of one risk among those that the pickle mentions, in the order of [File.Globals], cut where they are
// longer than any real one.
func (f *File) Risky(risk Risk) []string {
	const longest = 100
	var names []string
	for _, u := range f.globals {
		if u.Risk != risk {
			continue
		}
		name := u.String()
		if len(name) > longest {
			name = strings.ToValidUTF8(name[:longest], "") + "…"
		}
		names = append(names, name)
	}
	return names
}

// use records that a global was named.
func (m *machine) use(g Global) (Value, error) {
	u := m.uses[g]
	if u == nil {
		if len(m.uses) == maxGlobals {
			return nil, overLimit("different names in the pickle", maxGlobals)
		}
		u = &GlobalUse{Global: g, Risk: riskOf(g)}
		m.uses[g] = u
	}
	u.Named++
	return g, nil
}

// sortedUses is all names, the dangerous ones first, then by name.
func sortedUses(uses map[Global]*GlobalUse) []GlobalUse {
	sorted := make([]GlobalUse, 0, len(uses))
	for _, u := range uses {
		sorted = append(sorted, *u)
	}
	slices.SortFunc(sorted, func(a, b GlobalUse) int {
		return cmp.Or(cmp.Compare(a.Risk, b.Risk), cmp.Compare(a.Module, b.Module), cmp.Compare(a.Name, b.Name))
	})
	return sorted
}

// dangerousParts are modules that run programs, reach the system or load code. A dotted path with one of them in it
// (torch.os.system, since protocol 4 follows dots) is dangerous whatever comes before.
var dangerousParts = setOf("os", "nt", "posix", "sys", "subprocess", "commands", "popen2", "shutil", "socket", "ssl", "pty", "platform",
	"ctypes", "_ctypes", "cffi", "importlib", "_frozen_importlib", "imp", "pkgutil", "runpy", "code", "codeop", "bdb", "pdb", "timeit",
	"cProfile", "profile", "trace", "doctest", "pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve",
	"webbrowser", "urllib", "urllib2", "urllib3", "requests", "http", "httplib", "ftplib", "smtplib", "asyncio", "multiprocessing",
	"concurrent", "threading", "_thread", "signal", "atexit", "gc", "inspect", "types", "operator", "_operator", "functools", "_functools",
	"itertools", "tempfile", "glob", "fileinput", "linecache", "io", "_io", "zipimport", "site", "sysconfig", "distutils", "setuptools",
	"pip", "ensurepip", "venv", "idlelib", "lib2to3", "numba", "cpp_extension", "collect_env", "hub", "f2py", "runstring", "exec_command")

// dangerousNames are functions that run code, load files or reach for attributes, in whatever module they are.
var dangerousNames = setOf("eval", "exec", "execfile", "compile", "__import__", "import_module", "getattr", "setattr", "delattr",
	"__getattribute__", "__getattr__", "__setattr__", "open", "input", "raw_input", "file", "globals", "locals", "vars", "dir",
	"breakpoint", "apply", "reload", "help", "load", "loads", "system", "popen", "Popen", "spawn", "call", "check_call", "check_output",
	"_load_from_bytes", "__subclasses__", "__globals__", "__builtins__", "__reduce__", "__reduce_ex__", "__class__", "__dict__")

// ordinaryBuiltins are the types among Python's builtins that data is made of.
var ordinaryBuiltins = setOf("set", "frozenset", "list", "tuple", "dict", "bytes", "bytearray", "str", "unicode", "int", "long", "float",
	"complex", "bool", "object", "slice", "range", "xrange")

// ordinaryGlobals are single names outside of the ordinary packages.
var ordinaryGlobals = setOf("_codecs.encode", "copy_reg._reconstructor", "copyreg._reconstructor", "argparse.Namespace",
	"datetime.datetime", "datetime.date", "datetime.timedelta", "datetime.timezone", "pathlib.PosixPath", "pathlib.WindowsPath",
	"pathlib.Path", "pathlib.PurePosixPath", "pathlib._local.PosixPath", "pathlib._local.WindowsPath")

// ordinaryPackages are PyTorch's, numpy's and Python's containers.
var ordinaryPackages = setOf("torch", "torchvision", "numpy", "collections")

// yoloPackages are YOLOv5's own. Their classes are ordinary; their functions download, install and run things.
var yoloPackages = setOf("models", "utils")

func setOf(words ...string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[w] = true
	}
	return set
}

func riskOf(g Global) Risk {
	parts := strings.Split(g.String(), ".")
	for _, part := range parts {
		if dangerousParts[part] {
			return Dangerous
		}
	}
	if dangerousNames[parts[len(parts)-1]] {
		return Dangerous
	}
	builtin := g.Module == "builtins" || g.Module == "__builtin__"
	switch {
	case builtin && ordinaryBuiltins[g.Name], ordinaryGlobals[g.String()], ordinaryPackages[parts[0]]:
		return Ordinary
	case yoloPackages[parts[0]] && g.Name != "" && g.Name[0] >= 'A' && g.Name[0] <= 'Z':
		return Ordinary
	case builtin:
		return Dangerous
	}
	return Unknown
}
