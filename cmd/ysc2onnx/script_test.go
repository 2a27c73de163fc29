package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ysc2onnx/verify/ort"
	"ysc2onnx/verify/ort/orttest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ysc2onnx": main})
}

// TestScripts runs the scripts of testdata/script. What they can use beside testscript's own commands:
//
//	$EXAMPLES, $BIN      the folder of the example models; the folder of the program
//	$TESTDATA            the folder of the library's recorded models
//	$CHECKPOINTS         the small checkpoints of package checkpoint's tests
//	$GATES               PyTorch's export of a small model with a gate, and what PyTorch computes, of package ort's tests
//	$SHARED, [shared]    the folder beside the checkout with trained models, and whether it is there
//	[ort], [no-ort]      ONNX Runtime is there; it is not found where the scripts do not name it
//	exits N command...   runs a command that has to exit with N
//	json PATH [VALUE]    stdout is one JSON document, which has this at a path such as checks.checks.0.name
//	header, bare, poke   edit a safetensors file: its header's text, its metadata, elements of a tensor
//	damage FILE RECORD   flips a bit in a record of a zip
//	hostile IN OUT [CMD] makes a checkpoint's pickle name programs, or run one
//	record MODEL NPZ [E] runs a model and writes what its layers give, with the error E on the output
//	picture FILE W H     writes a JPEG or PNG picture of W x H pixels
func TestScripts(t *testing.T) {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	checkpoints, err := filepath.Abs("../../checkpoint/testdata")
	if err != nil {
		t.Fatal(err)
	}
	gates, err := filepath.Abs("../../verify/ort/testdata")
	if err != nil {
		t.Fatal(err)
	}
	testdata, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	shared, err := filepath.Abs("../../../shared")
	if err != nil {
		t.Fatal(err)
	}
	_, noShared := os.Stat(filepath.Join(shared, "fixtures", "c3.pt"))
	if noShared != nil {
		t.Run("trained models", func(t *testing.T) { orttest.Missing(t, orttest.Trained) })
	}
	library, noRuntime := ort.Find("")
	if noRuntime != nil {
		t.Run("ONNX Runtime", func(t *testing.T) { orttest.Missing(t, "ONNX Runtime is needed: %v", noRuntime) })
	}
	bare := !foundUnnamed(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples)
			e.Setenv("CHECKPOINTS", checkpoints)
			e.Setenv("GATES", gates)
			e.Setenv("TESTDATA", testdata)
			e.Setenv("SHARED", shared)
			e.Setenv("ORT_LIB", library.Path)
			e.Setenv("XDG_CACHE_HOME", "")
			e.Setenv("BIN", strings.Split(e.Getenv("PATH"), string(os.PathListSeparator))[0])
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "ort":
				return noRuntime == nil, nil
			case "shared":
				return noShared == nil, nil
			case "no-ort":
				return bare, nil
			}
			return false, fmt.Errorf("unknown condition %s", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "json": jsonHas, "record": record, "picture": drawPicture,
			"header": header, "bare": bareHeader, "poke": poke, "damage": damage, "hostile": hostile,
		},
	})
}

// foundUnnamed says whether ONNX Runtime is found outside ORT_LIB and the user's cache.
func foundUnnamed(t *testing.T) bool {
	t.Helper()
	defer overrideEnv(t, "ORT_LIB", "")() // t.Setenv would put it back when the scripts have run
	defer overrideEnv(t, "XDG_CACHE_HOME", "")()
	defer overrideEnv(t, "HOME", t.TempDir())()
	_, err := ort.Find("")
	return err == nil
}

// overrideEnv sets a variable and gives what puts it back.
func overrideEnv(t *testing.T, name, value string) (restore func()) {
	t.Helper()
	old, set := os.LookupEnv(name)
	if err := os.Setenv(name, value); err != nil {
		t.Fatal(err)
	}
	return func() {
		err := os.Unsetenv(name)
		if set {
			err = os.Setenv(name, old)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

func jsonHas(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: json PATH [VALUE]")
	}
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	dec.UseNumber()
	var document any
	ts.Check(dec.Decode(&document))
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		ts.Fatalf("stdout holds more than one JSON document")
	}
	found, ok := lookUp(document, strings.Split(args[0], "."))
	if len(args) == 1 {
		if ok == neg {
			ts.Fatalf("%s is there: %v, want %v", args[0], ok, !neg)
		}
		return
	}
	var want any
	dec = json.NewDecoder(strings.NewReader(args[1]))
	dec.UseNumber()
	if err := dec.Decode(&want); err != nil {
		want = args[1] // a word that is not JSON stands for itself
	}
	if equal := ok && reflect.DeepEqual(found, want); equal == neg {
		ts.Fatalf("%s is %v, want %v", args[0], found, want)
	}
}

// lookUp follows keys and indices into a JSON document.
func lookUp(in any, path []string) (any, bool) {
	for _, key := range path {
		switch v := in.(type) {
		case map[string]any:
			next, ok := v[key]
			if !ok {
				return nil, false
			}
			in = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(v) {
				return nil, false
			}
			in = v[i]
		default:
			return nil, false
		}
	}
	return in, true
}
