package modules

import (
	"strings"
	"testing"
)

func TestUnknownNames(t *testing.T) {
	registered := []string{"C3", "C3_ScConv", "Conv", "DWConv", "Detect", "SPPF", "ScConv", "nn.MaxPool2d", "nn.Upsample"}
	for _, c := range []struct{ name, want string }{
		{"SPP", "SPP is not among the modules that this program registers"},
		{"NMS", "YOLOv5's NMS is not converted yet"},
		{"IKeypoint", "IKeypoint of YOLOv5 forks is not converted yet"},
		{"CAM", "CAM of YOLOv5 forks is not converted yet"},
		{"nn.AvgPool2d", "torch.nn's AvgPool2d is not converted yet"},
		{"torch.nn.Softmax2d", "torch.nn's Softmax2d is not converted yet"},
		{"Cnov", `there is no module "Cnov": did you mean Conv?`},
		{"c3", `there is no module "c3": did you mean C3?`},
		{"SPFF", `there is no module "SPFF": did you mean SPPF?`},
		{"Detec", `there is no module "Detec": did you mean Detect?`},
		{"nn.Upsampel", `there is no module "nn.Upsampel": did you mean nn.Upsample?`},
		{"Conv2", "Conv2 of YOLOv5 forks is not converted yet"},
		{"Conv9", `there is no module "Conv9", neither in YOLOv5 nor in forks of it that are known here`},
		{"QConv", `there is no module "QConv", neither in YOLOv5 nor in forks of it that are known here`},
		{"CQ", `there is no module "CQ", neither in YOLOv5 nor in forks of it that are known here`},
		{"os.system", `there is no module "os.system", neither in YOLOv5 nor in forks of it that are known here`},
		{"nn.SPP", `there is no module "nn.SPP", neither in YOLOv5 nor in forks of it that are known here`},
	} {
		if got := unknownText(c.name, registered); got != c.want {
			t.Errorf("%s: got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestKnownNamesAreNotSuggestedAway: no registered module is suggested for a name in the tables, and none of torch.nn's and forks' there is
// registered.
func TestKnownNamesAreNotSuggestedAway(t *testing.T) {
	registered := Builtin().Names()
	for prefix, set := range map[string]map[string]bool{"": ownNames, "nn.": torchNames, "\x00": forkNames} {
		for name := range set {
			name = strings.TrimPrefix(prefix, "\x00") + name
			if Builtin().Find(name) != nil {
				if prefix != "" { // of YOLOv5's own all are listed
					t.Errorf("%s is converted: take it out of the table in known.go", name)
				}
				continue
			}
			if got := unknownText(name, registered); !strings.HasSuffix(got, " is not converted yet") {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
}
