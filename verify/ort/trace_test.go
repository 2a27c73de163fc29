package ort

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/verify"
)

// trace is a profile of two runs, the events of the first after those of the second, with others between them.
const trace = `[
{"cat" : "Session","pid" :1,"tid" :1,"dur" :9,"ts" :3,"ph" : "X","name" :"model_loading_uri","args" : {}},
{"cat" : "Node","dur" :7,"ts" :201,"ph" : "X","name" :"/model.0/Conv_kernel_time","args" : {"op_name" : "Conv","provider" : "CPUExecutionProvider"}},
{"cat" : "Node","dur" :4,"ts" :208,"ph" : "X","name" :"/model.0/Conv_fence_after","args" : {"op_name" : "Conv"}},
{"cat" : "Session","dur" :50,"ts" :200,"ph" : "X","name" :"model_run","args" : {}},
{"cat" : "Node","dur" :5,"ts" :101,"ph" : "X","name" :"/model.0/Conv_kernel_time","args" : {"op_name" : "Conv"}},
{"cat" : "Node","dur" :3,"ts" :106,"ph" : "X","name" :"/model.1/Relu_kernel_time","args" : {"op_name" : "Relu"}},
{"cat" : "Node","dur" :3,"ts" :170,"ph" : "X","name" :"between_kernel_time","args" : {"op_name" : "Lost"}},
{"cat" : "Session","dur" :20,"ts" :100,"ph" : "X","name" :"model_run","args" : {}}
]
`

func TestParseProfile(t *testing.T) {
	got, err := parseProfile(strings.NewReader(trace))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]verify.NodeTime{
		{{Node: "/model.0/Conv", Op: "Conv", Time: 5 * time.Microsecond}, {Node: "/model.1/Relu", Op: "Relu", Time: 3 * time.Microsecond}},
		{{Node: "/model.0/Conv", Op: "Conv", Time: 7 * time.Microsecond}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseProfileErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":   "EOF\nit is not a list of events",
		"{}": "it is not a list of events",
		`[{"cat":"Node","ts":5,"dur":-1,"name":"a"}]`:                                           "a takes from 5 to 4 µs",
		`[{"cat":"Node","ts":9223372036854775807,"dur":9,"name":"a"}]`:                          "a takes from 9223372036854775807 to -9223372036854775800 µs",
		`[{"cat":"Node","ts":"5"}]`:                                                             "json: cannot unmarshal string into Go struct field event.ts of type int64",
		strings.TrimSuffix(strings.TrimSpace(trace), "]"):                                       "EOF",
		`[` + strings.Repeat(`{"cat":"Session","name":"model_run"},`, maxEvents+1) + `{}` + `]`: "it has more than 1000000 events",
	} {
		_, err := parseProfile(strings.NewReader(text))
		if want = "ONNX Runtime's profile cannot be read: " + want; err == nil || err.Error() != want {
			t.Errorf("%.60q\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func FuzzParseProfile(f *testing.F) {
	f.Add([]byte(trace))
	f.Add([]byte(`[{"cat":"Session","name":"model_run","ts":1,"dur":5},{"cat":"Node","name":"x_kernel_time","ts":2,"dur":1,"args":{}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		runs, err := parseProfile(strings.NewReader(string(data)))
		for _, run := range runs {
			for _, n := range run {
				if err != nil || n.Time < 0 {
					t.Errorf("%v, %v", n, err)
				}
			}
		}
	})
}
