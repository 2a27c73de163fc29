package verify

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ysc2onnx/verify/engine"
)

// Alone checks an ONNX file of any exporter by what it says of itself: its structure, then, in rt, whether it loads, and
// what it gives for seeded noise. Where it leaves the sizes of images or the batch open, others are tried too. What is
// unusual is in [Facts.Notes]. A nil rt leaves out everything that needs a runtime.
//
// The error says why the file could not be checked. A file found wrong gives a Report that is not OK; one whose inputs
// cannot be drawn, or that needs operators from elsewhere, one that says so in NotRun.
func Alone(ctx context.Context, rt engine.Runtime, path string) (*Report, error) {
	rep := &Report{Path: path}
	start := time.Now()
	facts, err := Structure(ctx, path)
	if err != nil {
		return nil, err
	}
	rep.Facts = facts
	if !rep.add("structure", start, facts.Summary(), facts.Err()) {
		return rep, nil
	}
	rep.add("interface", time.Now(), interfaceText(facts.Inputs, facts.Outputs), nil)
	if rt == nil {
		return rep, nil
	}
	rep.Runtime, rep.Library = rt.Version(), rt.Library()
	if rep.NotRun = facts.unknownOperators(); rep.NotRun != "" {
		return rep, nil
	}
	start = time.Now()
	session, err := rt.Open(ctx, path, facts.session(engine.SessionOptions{}))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if !rep.add("load", start, rt.Version(), err) {
		return rep, nil
	}
	err = facts.tryAll(ctx, session, rep)
	return rep, errors.Join(err, session.Close())
}

// builtIn are the domains whose operators runtimes come with.
var builtIn = []string{"", "ai.onnx.ml", "ai.onnx.preview", "ai.onnx.preview.training", "ai.onnx.training", "com.microsoft"}

// unknownOperators says which operator of the file no runtime has without a library of its own, "" for none: one that the
// file does not define, of another domain than ONNX's, or of an opset to come.
func (f *Facts) unknownOperators() string {
	if f.Opset > 0 && lowestIR(f.Opset) == 0 {
		return fmt.Sprintf("opset %d is newer than what is known here", f.Opset)
	}
	for _, n := range f.nodes {
		if !slices.Contains(builtIn, n.domain) && !n.local {
			return fmt.Sprintf("the operator %q of domain %q needs a library of its own, and the file does not define it", n.op, n.domain)
		}
	}
	return ""
}

// tryAll runs the file on all inputs that it should take.
func (f *Facts) tryAll(ctx context.Context, session engine.Session, rep *Report) error {
	for _, t := range f.trials() {
		if err := ctx.Err(); err != nil {
			return err
		}
		inputs, known, err := f.draw(t, 0)
		if err != nil {
			rep.NotRun = err.Error()
			return nil
		}
		start := time.Now()
		outputs, err := session.Run(ctx, inputs)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !f.takesImage() {
			rep.NotRun = fmt.Sprintf("it is not a model of one image, and the inputs that were made up for it failed: %v", err)
			return nil
		}
		shapes := make([]string, len(inputs))
		for i, in := range inputs {
			shapes[i] = in.Name + " " + engine.ShapeText(in.Shape)
		}
		at, detail := strings.Join(shapes, ", "), ""
		if err == nil {
			detail, err = f.asDeclared(outputs, known)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", at, err)
		}
		if !rep.add(t.name, start, at+" -> "+detail, err) {
			return nil
		}
	}
	return nil
}

// takesImage says whether the only input is an image, or a batch of them: [batch, channels, height, width].
func (f *Facts) takesImage() bool {
	if len(f.Inputs) != 1 {
		return false
	}
	in := f.Inputs[0]
	return len(in.Dims) == 4 && in.Dims[1] != 0 && slices.Contains([]engine.DType{engine.Float32, engine.Float16, engine.Float64, engine.BFloat16, engine.Uint8}, in.DType)
}

// trials are the sizes to try, as in [Expect.trials]. Where sizes are open, those that the file was exported for are in its
// metadata.
func (f *Facts) trials() []trial {
	e := Expect{Batch: count(f.Metadata["batch"], 1), Stride: count(f.Metadata["stride"], 32)}
	e.Height, e.Width = exportedSize(f.Metadata["imgsz"])
	for _, in := range f.Inputs {
		e.DynamicBatch = e.DynamicBatch || len(in.Dims) > 0 && in.Dims[0] < 0
	}
	if f.takesImage() {
		dims := f.Inputs[0].Dims
		e.DynamicSize = dims[2] < 0 || dims[3] < 0
		if dims[0] > 0 {
			e.Batch = int(min(dims[0], maxRun))
		}
	}
	return e.trials()
}

// openChannels and openSize are the sizes of dimensions that a file leaves open and of which nothing else is known.
const (
	openChannels = 3
	openSize     = 16
)

// draw makes inputs of a trial's size: noise, uniform in [0,1) for floating-point numbers and over a byte for bytes, and
// ones for other integers, which are counts or sizes more often than not. known are the sizes of the dimensions by name.
func (f *Facts) draw(t trial, seed uint64) (inputs []engine.Tensor, known map[string]int64, err error) {
	known = map[string]int64{}
	total := int64(0)
	for _, in := range f.Inputs {
		if in.Other || in.Shapeless || in.DType == engine.String {
			return nil, nil, fmt.Errorf("no value can be made up for the input %s", in)
		}
		input := engine.Tensor{Name: in.Name, Shape: slices.Clone(in.Dims)}
		image := len(in.Dims) == 4
		for i, d := range input.Shape {
			if d >= 0 {
				continue
			}
			name := ""
			if i < len(in.DimNames) {
				name = in.DimNames[i]
			}
			size, met := known[name]
			switch {
			case met:
			case i == 0:
				size = int64(t.batch)
			case image && i == 1:
				size = openChannels
			case image && i == 2:
				size = int64(t.height)
			case image:
				size = int64(t.width)
			default:
				size = openSize
			}
			input.Shape[i] = size
			if name != "" {
				known[name] = size
			}
		}
		n, ok := engine.Elements(input.Shape)
		if total += n; !ok || n > maxRun || total > maxRun {
			return nil, nil, fmt.Errorf("an input of %s is larger than the check of a file allows (%d values)", engine.ShapeText(input.Shape), maxRun)
		}
		switch in.DType {
		case engine.Float32, engine.Float16, engine.Float64, engine.BFloat16:
			input.Floats = noise(seed, int(n))
		default:
			input.Ints = make([]int64, n)
			for i := range input.Ints {
				input.Ints[i] = 1
			}
			if in.DType == engine.Uint8 || in.DType == engine.Int8 {
				for i, v := range noise(seed, int(n)) {
					input.Ints[i] = int64(v * 128)
				}
			}
		}
		inputs = append(inputs, input)
	}
	return inputs, known, nil
}

// DrawInputs makes inputs for the file, seeded noise of the size that it asks for. Where it leaves sizes open they are
// height and width or, where these are 0, those that it was exported for.
func (f *Facts) DrawInputs(height, width int, seed uint64) ([]engine.Tensor, error) {
	t := f.trials()[0]
	if height > 0 && width > 0 {
		t.height, t.width = height, width
	}
	inputs, _, err := f.draw(t, seed)
	return inputs, err
}

// asDeclared compares outputs with their declarations in the file, and gives their names and shapes. Dimensions of one name
// have one size, as ONNX defines it.
func (f *Facts) asDeclared(outputs []engine.Tensor, known map[string]int64) (string, error) {
	texts := make([]string, len(outputs))
	for i, out := range outputs {
		texts[i] = out.Name + " " + engine.ShapeText(out.Shape)
		if err := finite(out); err != nil {
			return "", err
		}
		k := slices.IndexFunc(f.Outputs, func(v engine.IO) bool { return v.Name == out.Name })
		if k < 0 || f.Outputs[k].Shapeless {
			continue
		}
		declared := f.Outputs[k]
		want := slices.Clone(declared.Dims)
		for d := range want {
			if want[d] >= 0 || d >= len(out.Shape) {
				continue
			}
			want[d] = out.Shape[d]
			if d < len(declared.DimNames) {
				if size, ok := known[declared.DimNames[d]]; ok {
					want[d] = size
				}
			}
		}
		if !slices.Equal(out.Shape, want) {
			return "", fmt.Errorf("%s is %s, want %s", out.Name, engine.ShapeText(out.Shape), engine.ShapeText(want))
		}
	}
	return strings.Join(texts, ", "), nil
}

// sizeText is how the metadata spell a size: a Python list.
var sizeText = regexp.MustCompile(`^\[(\d{1,5}), (\d{1,5})\]$`)

// exportedSize reads the size from the metadata, 640x640 where it is not there.
func exportedSize(text string) (height, width int) {
	match := sizeText.FindStringSubmatch(text)
	if match == nil {
		return 640, 640
	}
	return count(match[1], 640), count(match[2], 640)
}

// count reads a whole number from 1 on, else gives the default.
func count(text string, otherwise int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1<<16 {
		return otherwise
	}
	return n
}
