//go:build peers

package peers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"ysc2onnx/verify/ort/orttest"
	"ysc2onnx/verify/peers/browsertest"
)

// deployFolder holds the clients that are tested here.
var deployFolder = filepath.Join("..", "..", "examples", "deploy")

// object is what clients find in a picture: its corners are in pixels of the picture.
type object struct {
	Class int        `json:"class"`
	Name  string     `json:"name"`
	Score float64    `json:"score"`
	Box   [4]float64 `json:"box_xyxy"`
}

// client is one of examples/deploy, ready to run.
type client interface {
	// tensor runs a model alone on the values in a file; both files hold float32, little-endian.
	tensor(t *testing.T, model, input, output string)
	// detect finds the objects in a picture.
	detect(t *testing.T, model, picture string) []object
}

// clients are those of examples/deploy. Each is made when its turn comes: what it needs may be missing.
var clients = []struct {
	name string
	open func(t *testing.T, folder string) client
}{
	{"onnxruntime-node", openNode},
	{"onnxruntime-web", openWeb},
	{"OpenCV, Python", openPython},
	{"OpenCV, C++", openCPP},
	{"Go", openGo},
}

// nodeModules is where npm has put examples/deploy's packages.
func nodeModules(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(deployFolder, "node_modules")
	if _, err := os.Stat(filepath.Join(folder, "onnxruntime-web")); err != nil {
		orttest.Missing(t, "%v; run npm ci in examples/deploy", err)
	}
	return folder
}

// lookup is the path of a program.
func lookup(t *testing.T, name, advice string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		orttest.Missing(t, "%v; %s", err, advice)
	}
	return path
}

// command is a client that is run anew for each model: the program and the arguments before the model's.
type command []string

func openNode(t *testing.T, _ string) client {
	nodeModules(t)
	return command{lookup(t, "node", "Debian has nodejs"), filepath.Join(deployFolder, "node", "detect.js")}
}

func openPython(t *testing.T, _ string) client {
	return command{python(t, "numpy", "cv2"), filepath.Join(deployFolder, "opencv", "detect.py")}
}

// openCPP compiles the client, as README.md says but for the place, without warnings.
func openCPP(t *testing.T, folder string) client {
	compiler := lookup(t, "g++", "Debian has g++")
	if _, err := os.Stat("/usr/include/opencv4/opencv2/dnn.hpp"); err != nil {
		orttest.Missing(t, "%v; Debian has libopencv-dnn-dev and libopencv-imgcodecs-dev", err)
	}
	binary := filepath.Join(folder, "detect")
	want(t, 0, compiler, "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-I/usr/include/opencv4", filepath.Join(deployFolder, "opencv", "detect.cpp"),
		"-o", binary, "-lopencv_dnn", "-lopencv_imgcodecs", "-lopencv_imgproc", "-lopencv_core")
	return command{binary}
}

func openGo(t *testing.T, folder string) client {
	binary := filepath.Join(folder, "go")
	want(t, 0, "go", "-C", "../..", "build", "-o", binary, "ysc2onnx/examples/deploy/go")
	return command{binary}
}

func (c command) run(t *testing.T, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), c[0], append(c[1:len(c):len(c)], args...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.String())
	}
	return stdout.Bytes()
}

func (c command) tensor(t *testing.T, model, input, output string) {
	t.Helper()
	c.run(t, model, "--tensor", input, output)
}

func (c command) detect(t *testing.T, model, picture string) []object {
	t.Helper()
	var found []object
	if out := c.run(t, model, picture); json.Unmarshal(out, &found) != nil {
		t.Fatalf("no JSON: %s", out)
	}
	return found
}

func openWeb(t *testing.T, folder string) client { return openBrowser(t, serve(t, folder, false).URL) }

// tensor asks the page's worker.
func (p *page) tensor(t *testing.T, model, input, output string) {
	t.Helper()
	browsertest.Do(p.ctx, t, chromedp.Navigate(p.address))
	names := make([]any, 0, 3)
	for _, path := range []string{model, input, output} {
		names = append(names, filepath.Base(path))
	}
	browsertest.Evaluate[bool](p.ctx, t, fmt.Sprintf(`(async () => {
		const bytes = async name => new Uint8Array(await (await fetch("files/" + name)).arrayBuffer());
		const worker = new Worker("./worker.js", { type: "module" });
		const ask = (call, argument) => new Promise((resolve, reject) => {
			worker.onmessage = ({ data: { result, error } }) => error ? reject(new Error(error)) : resolve(result);
			worker.postMessage({ call, argument });
		});
		await ask("load", await bytes(%q));
		const { output } = await ask("run", new Float32Array((await bytes(%q)).buffer));
		worker.terminate();
		return (await fetch("files/" + %q, { method: "POST", body: output })).ok;
	})()`, names...))
}

// detect opens the page with the model, and drops the picture on it.
func (p *page) detect(t *testing.T, model, picture string) []object {
	t.Helper()
	p.open(t, "files/"+filepath.Base(model))
	p.drop(t, picture)
	return p.objects(t)
}
