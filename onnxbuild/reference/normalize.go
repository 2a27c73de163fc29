package reference

import (
	"context"
	"fmt"
	"math"
)

// channels checks that each of the parameters has one number for each channel of x [N, C, …], and gives the number of
// elements of a channel's map.
func channels(x *Array, parameters ...*Array) (size int64, err error) {
	if len(x.Shape) < 2 {
		return 0, fmt.Errorf("the input is %v, expected channels on axis 1", x.Shape)
	}
	for _, p := range parameters {
		if len(p.Shape) != 1 || p.Shape[0] != x.Shape[1] {
			return 0, fmt.Errorf("a parameter is %v for %d channels", p.Shape, x.Shape[1])
		}
	}
	return product(x.Shape[2:]), nil
}

// batchNormalization is (x - mean) / √(variance + epsilon) · scale + bias, per channel.
func batchNormalization(_ context.Context, n *node) ([]*Array, error) {
	x, scale, bias, mean, variance := n.in[0], n.in[1], n.in[2], n.in[3], n.in[4]
	size, err := channels(x, scale, bias, mean, variance)
	if err != nil {
		return nil, err
	}
	y, epsilon := newArray(x.DType, x.Shape), float64(n.Float("epsilon", 1e-5))
	for i, v := range x.Data {
		c := int64(i) / size % x.Shape[1]
		y.Data[i] = (v-mean.Data[c])/math.Sqrt(variance.Data[c]+epsilon)*scale.Data[c] + bias.Data[c]
	}
	return []*Array{y}, nil
}

// instanceNormalization is the same with the mean and the biased variance of each channel of each sample.
func instanceNormalization(_ context.Context, n *node) ([]*Array, error) {
	x, scale, bias := n.in[0], n.in[1], n.in[2]
	size, err := channels(x, scale, bias)
	if err != nil {
		return nil, err
	}
	y, epsilon := newArray(x.DType, x.Shape), float64(n.Float("epsilon", 1e-5))
	for start := int64(0); start < int64(len(x.Data)); start += size {
		c := start / size % x.Shape[1]
		plane := x.Data[start:][:size]
		average := mean(plane)
		variance := 0.0
		for _, v := range plane {
			variance += (v - average) * (v - average) / float64(size)
		}
		for i, v := range plane {
			y.Data[start+int64(i)] = (v-average)/math.Sqrt(variance+epsilon)*scale.Data[c] + bias.Data[c]
		}
	}
	return []*Array{y}, nil
}

// layerNormalization is the same over the last axes, each place of which has its own scale and bias.
func layerNormalization(_ context.Context, n *node) ([]*Array, error) {
	x, scale := n.in[0], n.in[1]
	size, epsilon := int64(len(scale.Data)), float64(n.Float("epsilon", 1e-5))
	y := newArray(x.DType, x.Shape)
	for start := int64(0); start < int64(len(x.Data)); start += size {
		part := x.Data[start:][:size]
		average := mean(part)
		variance := 0.0
		for _, v := range part {
			variance += (v - average) * (v - average) / float64(size)
		}
		for i, v := range part {
			y.Data[start+int64(i)] = (v - average) / math.Sqrt(variance+epsilon) * scale.Data[i]
			if len(n.in) > 2 {
				y.Data[start+int64(i)] += n.in[2].Data[i]
			}
		}
	}
	return []*Array{y}, nil
}

// softmax is e^x / Σ e^x along one axis. The largest x is subtracted first, which changes nothing but that e^x stays finite.
func softmax(_ context.Context, n *node) ([]*Array, error) {
	x := n.in[0]
	a, err := axis(n.Int("axis", -1), len(x.Shape))
	if err != nil {
		return nil, err
	}
	y := newArray(x.DType, x.Shape)
	size, step := x.Shape[a], product(x.Shape[a+1:])
	lane := make([]float64, size)
	for outer := range product(x.Shape[:a]) {
		for inner := range step {
			start := outer*size*step + inner
			largest, total := math.Inf(-1), 0.0
			for k := range size {
				largest = max(largest, x.Data[start+k*step])
			}
			for k := range size {
				lane[k] = math.Exp(x.Data[start+k*step] - largest)
				total += lane[k]
			}
			for k := range size {
				y.Data[start+k*step] = lane[k] / total
			}
		}
	}
	return []*Array{y}, nil
}

// reduce applies f to all elements that differ in the given axes only. The axes stay with size 1, or go.
func reduce(f func([]float64) float64) definition {
	return func(_ context.Context, n *node) ([]*Array, error) {
		x := n.in[0]
		shape := append([]int64(nil), x.Shape...)
		reduced := make([]bool, len(shape))
		for _, number := range n.in[1].Data {
			a, err := axis(int64(number), len(shape))
			if err != nil {
				return nil, err
			}
			shape[a], reduced[a] = 1, true
		}
		lanes := make([][]float64, product(shape))
		index := make([]int64, len(shape))
		for _, v := range x.Data {
			to := int64(0)
			for d, k := range index {
				to = to*shape[d] + min(k, shape[d]-1)
			}
			lanes[to] = append(lanes[to], v)
			increment(index, x.Shape)
		}
		if n.Int("keepdims", 1) == 0 {
			var left []int64
			for i, d := range shape {
				if !reduced[i] {
					left = append(left, d)
				}
			}
			shape = left
		}
		y := newArray(x.DType, shape)
		for i, lane := range lanes {
			y.Data[i] = f(lane)
		}
		return []*Array{y}, nil
	}
}

func sum(list []float64) float64 {
	total := 0.0
	for _, x := range list {
		total += x
	}
	return total
}

func mean(list []float64) float64 { return sum(list) / float64(len(list)) }

func euclidean(list []float64) float64 {
	squares := 0.0
	for _, x := range list {
		squares += x * x
	}
	return math.Sqrt(squares)
}

func multiplied(list []float64) float64 {
	total := 1.0
	for _, x := range list {
		total *= x
	}
	return total
}
