package checkpoint_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestModelsInWrappers finds the same tensors under their own names in every file of testdata/around, whatever is around the
// model, and says what was.
func TestModelsInWrappers(t *testing.T) {
	var want []recorded
	if err := json.Unmarshal(readFile(t, "around.json"), &want); err != nil || len(want) != 9 {
		t.Fatalf("%d tensors, %v", len(want), err)
	}
	for _, c := range []struct{ file, around, before, missed string }{
		{"DataParallel", "DataParallel", "", ""},
		{"DistributedDataParallel", "DistributedDataParallel", "", ""},
		{"compiled", "OptimizedModule DataParallel", "", ""},
		{"AutoShape", "AutoShape DetectMultiBackend", "", ""},
		{"Ensemble", "Ensemble", "", ""},
		{"names-module", "", "module.", ""},
		{"names-orig_mod", "", "_orig_mod.", ""},
		{"names-model", "", "model.", ""},
		{"names-two", "", "module._orig_mod.", ""},
		{"names-ema", "", "ema.model.", ""},
		{"names-bare", "", "", "model."},
	} {
		m := mustModel(t, mustOpen(t, readFile(t, "around/"+c.file+".pt")))
		if got := strings.Join(m.Around, " "); got != c.around || m.Before != c.before || m.Missed != c.missed {
			t.Errorf("%s: around is %q, before %q, missed %q", c.file, got, m.Before, m.Missed)
		}
		var got []recorded
		for _, x := range m.StateDict() {
			got = append(got, describe(t, x, 1000))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-PyTorch +here)\n%s", c.file, diff)
		}
	}
}

// TestNamesThatDoNotAgree leaves the names of a state_dict as they are where not all of them have the same prefix.
func TestNamesThatDoNotAgree(t *testing.T) {
	m := mustModel(t, mustOpen(t, readFile(t, "around/names-mixed.pt")))
	if m.Before != "" || m.Missed != "" || m.Child("module") == nil || m.Child("model") == nil {
		t.Errorf("before %q, missed %q, children %v", m.Before, m.Missed, m.Children)
	}
}

func TestEnsembleOfSeveral(t *testing.T) {
	_, err := mustOpen(t, readFile(t, "around/pair.pt")).Model()
	const want = "it is an Ensemble of 2 models, and only one can be converted: save that one, or give its own checkpoint"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
