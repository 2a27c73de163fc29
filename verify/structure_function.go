package verify

import (
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"ysc2onnx/internal/protofile"
	"ysc2onnx/verify/engine"
)

const (
	maxFunctions     = 1 << 16
	maxFunctionDepth = 64 // functions that call each other
)

// functionID is how a node names a function that it calls.
type functionID struct{ domain, name, overload string }

// String is the function's name for people.
func (id functionID) String() string {
	text := strconv.Quote(id.domain + "." + id.name)
	if id.overload != "" {
		text += " (overload " + strconv.Quote(id.overload) + ")"
	}
	return "function " + text
}

// function is a FunctionProto.
type function struct {
	functionID
	inputs, outputs []string
	nodes           []protofile.Field
	opsets          map[string]int64
	calls           []functionID
}

// functions checks the operators that a model defines itself: each is a graph of its own, which sees nothing around it, and
// none calls itself.
func (c *checker) functions(fields []protofile.Field) error {
	list := make([]*function, len(fields))
	byID := map[functionID]*function{}
	for i, f := range fields {
		fn, err := c.function(f)
		if err != nil {
			return err
		}
		if byID[fn.functionID] != nil {
			c.problem("%s is defined twice", fn)
		}
		list[i], byID[fn.functionID], c.local[fn.functionID] = fn, fn, true
	}
	c.facts.Functions = len(list)
	for _, fn := range list {
		if err := c.body(fn); err != nil {
			return err
		}
	}
	depths := map[*function]int{}
	for _, fn := range list {
		if callDepth(fn, byID, depths) > maxFunctionDepth {
			c.problem("%s calls itself, or functions call each other more than %d deep", fn, maxFunctionDepth)
			break
		}
	}
	return nil
}

// function reads a FunctionProto without its nodes.
func (c *checker) function(f protofile.Field) (*function, error) {
	fn := &function{opsets: map[string]int64{}}
	err := c.w.Message(f, func(f protofile.Field) (err error) {
		var text string
		switch f.Num {
		case 1:
			fn.name, err = c.w.String(f)
		case 4:
			text, err = c.w.String(f)
			fn.inputs = append(fn.inputs, text)
		case 5:
			text, err = c.w.String(f)
			fn.outputs = append(fn.outputs, text)
		case 7:
			if len(fn.nodes) == maxNodes {
				return protofile.Malformed(f.Body.From, "a function has more than %d nodes", maxNodes)
			}
			fn.nodes = append(fn.nodes, f)
			err = f.Want(protowire.BytesType)
		case 9:
			_, err = c.opset(f, fn.opsets)
		case 10:
			text, err = c.w.String(f)
			fn.domain = domainName(text)
		case 13:
			fn.overload, err = c.w.String(f)
		}
		return err
	})
	if err == nil && fn.name == "" {
		c.problem("a function of domain %q has no name", fn.domain)
	}
	return fn, err
}

// body checks the nodes of a function, in the opsets that it imports, and notes which functions they call.
func (c *checker) body(fn *function) error {
	model, missing := c.opsets, c.missing
	c.opsets, c.missing = fn.opsets, map[string]bool{}
	defer func() { c.opsets, c.missing, c.captured, c.called = model, missing, nil, nil }()
	// The root of the scopes is the main graph, whose nodes are kept; a function's are not.
	s := &scope{parent: &scope{}, depth: 1, known: map[string]bool{}, used: map[string]bool{}, in: fn.String() + ": "}
	for _, name := range fn.inputs {
		c.assign(s, name, fn.String())
	}
	for i, n := range fn.nodes {
		if i%1024 == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		if err := c.node(s, i, n); err != nil {
			return err
		}
	}
	for _, name := range fn.outputs {
		if !s.find(name) {
			c.problem("%s: output %q is made by no node", fn, name)
		}
	}
	fn.calls = c.called
	return nil
}

// callDepth is how deep the calls of a function go, in depths from an earlier call if it is known. Functions that call
// themselves count as deeper than allowed while they are being looked at.
func callDepth(fn *function, byID map[functionID]*function, depths map[*function]int) int {
	if depth, known := depths[fn]; known {
		return depth
	}
	depths[fn] = maxFunctionDepth
	depth := 0
	for _, id := range fn.calls {
		if callee := byID[id]; callee != nil {
			depth = max(depth, callDepth(callee, byID, depths))
		}
	}
	depths[fn] = min(depth, maxFunctionDepth) + 1
	return depths[fn]
}

// sparse checks a SparseTensorProto: the values that are not zero and where they are, as flat offsets [n] or as
// indices [n, rank]. Its elements are stored in no form that others here read.
func (c *checker) sparse(f protofile.Field, where string) (t stored, err error) {
	var values, indices stored
	var dims []int64
	err = c.w.Message(f, func(f protofile.Field) (err error) {
		switch f.Num {
		case 1:
			values, err = c.tensor(f, where)
		case 2:
			indices, err = c.tensor(f, where+": indices")
		case 3:
			err = c.w.EachVarint(f, func(d int64) error {
				if len(dims) == maxRank {
					return protofile.Malformed(f.Body.From, "a sparse tensor has more than %d dimensions", maxRank)
				}
				dims = append(dims, d)
				return nil
			})
		}
		return err
	})
	where += " " + strconv.Quote(values.name)
	count, ok := engine.Elements(dims)
	n := int64(-1)
	if len(values.dims) == 1 {
		n = values.dims[0]
	}
	rank := int64(len(dims))
	flat := len(indices.dims) == 1 && indices.dims[0] == n
	full := len(indices.dims) == 2 && indices.dims[0] == n && indices.dims[1] == rank
	switch {
	case err != nil:
	case !ok || rank == 0:
		c.problem("%s: shape %v is not possible", where, dims)
	case n < 0 || n > count:
		c.problem("%s: has values of shape %v, of which a tensor %s takes a list of up to %d", where, values.dims, engine.ShapeText(dims), count)
	case n > 0 && (indices.dtype != engine.Int64 || !flat && !full):
		c.problem("%s: has indices %s %v, int64 [%d] or [%d, %d] is needed", where, indices.dtype, indices.dims, n, n, rank)
	}
	return stored{name: values.name, dtype: values.dtype, dims: dims, raw: -1, at: -1}, err
}
