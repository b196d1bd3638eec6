package quantise

import (
	"math"

	"godarts/nas/onnx"
	"godarts/torch"
)

// value is a tensor of a pass.
type value struct {
	torch.Tensor
	integers bool // it holds q − zero
	group    int
}

// pass is a pass of images through a network.
type pass struct {
	n       *Network
	scales  []onnx.Scale // nil for a pass in floating-point numbers
	values  map[string]value
	observe func(v onnx.Value, t torch.Tensor)
}

// pass classifies normalised images, in integers or, without scales, in floating-point numbers. Then observe
// gets what would be kept as integers, unless it is nil.
func (n *Network) pass(x torch.Tensor, scales []onnx.Scale, observe func(onnx.Value, torch.Tensor)) torch.Tensor {
	p := &pass{n: n, scales: scales, values: map[string]value{}, observe: observe}
	known := map[string]onnx.Value{}
	if observe != nil {
		for _, v := range n.graph.Values {
			known[v.Name] = v
		}
	}
	seen := func(name string) {
		if v, kept := known[name]; kept {
			observe(v, p.values[name].Tensor)
		}
	}
	p.values[n.graph.Input] = value{Tensor: x}
	seen(n.graph.Input)
	p.values[n.graph.Input] = p.keep(n.graph.Input, x)
	for i := range n.graph.Nodes {
		k := &n.graph.Nodes[i]
		torch.Scoped(func() {
			y := p.node(k)
			torch.Keep(y.Tensor)
			p.values[k.Output] = y
		})
		seen(k.Output)
		for _, name := range k.Inputs {
			if v, there := p.values[name]; there && n.lastRead[name] == i && name != n.graph.Input {
				v.Free() // without a graph its memory is free at once
				delete(p.values, name)
			}
		}
	}
	return p.values[n.graph.Output].Tensor
}

// keep rounds floating-point numbers to integers if the value is kept as such.
func (p *pass) keep(name string, y torch.Tensor) value {
	group, kept := p.n.groups[name]
	if !kept || p.scales == nil {
		return value{Tensor: y}
	}
	return p.rounded(y.DivScalar(p.scale(group)), group)
}

// rounded rounds multiples of a group's scale.
func (p *pass) rounded(y torch.Tensor, group int) value {
	zero := int(p.scales[group].Zero)
	return value{round(y, -zero, math.MaxUint8-zero), true, group}
}

// float returns a value in floating-point numbers.
func (p *pass) float(name string) torch.Tensor {
	if t, constant := p.n.constants[name]; constant {
		return t.Tensor
	}
	v := p.values[name]
	if v.integers {
		return v.MulScalar(p.scale(v.group))
	}
	return v.Tensor
}

// node computes a node.
func (p *pass) node(k *onnx.Node) value {
	if p.scales == nil || k.Kind == onnx.InFloats {
		y := floating[k.Op](p.n, p.float, k)
		if k.ReLU {
			y = y.ReLU()
		}
		return p.keep(k.Output, y)
	}
	x := p.values[k.Inputs[0]]
	if k.Kind == onnx.Moving {
		return value{floating[k.Op](p.n, p.held, k), true, x.group}
	}
	group, kept := p.n.groups[k.Output]
	unit := float32(1)
	if kept {
		unit = p.scales[group].Scale
	}
	var y torch.Tensor
	switch k.Op {
	case "Conv", "Gemm":
		l := p.n.layers[k.Inputs[1]]
		q, scale := p.n.integers(l)
		input := p.scales[x.group].Scale
		y = product(k, x.Tensor, q, l.integerBias(scale, input))
		each := []int{1, -1, 1, 1}
		y = y.Mul(scale.MulScalar(float64(input)).DivScalar(float64(unit)).View(each[:y.Dim()]...))
	case "Add":
		return value{p.sum(x, p.values[k.Inputs[1]], group), true, group}
	case "Concat":
		var parts []torch.Tensor
		for _, name := range k.Inputs {
			part := p.values[name]
			if part.group != group {
				part.Tensor = part.MulScalar(p.scale(part.group)).DivScalar(float64(unit))
			}
			parts = append(parts, part.Tensor)
		}
		y = torch.Cat(parts, 1)
	case "GlobalAveragePool":
		pixels := x.Size(2) * x.Size(3)
		y = x.SumDims([]int{2, 3}, true).MulScalar(float64(p.scales[x.group].Scale / (unit * float32(pixels))))
	default:
		y = floating[k.Op](p.n, p.float, k).DivScalar(float64(unit))
	}
	if !kept {
		return value{Tensor: y}
	}
	return p.rounded(y, group)
}

// scale returns the scale of a group.
func (p *pass) scale(group int) float64 { return float64(p.scales[group].Scale) }

// sum adds integers of two groups as the kernels of ONNX Runtime do: by fused multiplications and additions in
// float32, the zero point before rounding.
func (p *pass) sum(x, y value, group int) torch.Tensor {
	to := p.scales[group]
	a, b := p.scales[x.group], p.scales[y.group]
	ra, rb := a.Scale/to.Scale, b.Scale/to.Scale
	fixed := float32(to.Zero) - (ra*float32(a.Zero) + rb*float32(b.Zero))
	qa, qb := x.AddScalar(float64(a.Zero)), y.AddScalar(float64(b.Zero))
	fma := func(t torch.Tensor, r float32, u torch.Tensor) torch.Tensor {
		return t.ToDtype(torch.Float64).MulScalar(float64(r)).Add(u.ToDtype(torch.Float64)).ToDtype(t.Dtype())
	}
	s := fma(qa, ra, fma(qb, rb, torch.Scalar(float64(fixed), p.n.o)))
	return round(s, 0, math.MaxUint8).AddScalar(-float64(to.Zero))
}

// held returns a value as the pass holds it.
func (p *pass) held(name string) torch.Tensor { return p.values[name].Tensor }

// product computes the convolution or linear layer k.
func product(k *onnx.Node, x, w, bias torch.Tensor) torch.Tensor {
	if k.Op == "Gemm" {
		return torch.Linear(x, w, bias)
	}
	pads := k.Ints("pads")
	o := torch.Conv2dOptions{StrideHW: [2]int(k.Ints("strides")), Dilation: k.Ints("dilations")[0], Groups: k.Int("group")}
	if pads[0]+pads[1] > 0 {
		o.PaddingHW = [2]int{pads[0], pads[1]}
	}
	return torch.Conv2d(x, w, bias, o)
}

// operator computes a node from what read returns of its inputs.
type operator func(n *Network, read func(name string) torch.Tensor, k *onnx.Node) torch.Tensor

// floating are the operators that a network may have, in floating-point numbers.
var floating map[string]operator

func init() {
	binary := func(of func(x, y torch.Tensor) torch.Tensor) operator {
		return func(n *Network, read func(string) torch.Tensor, k *onnx.Node) torch.Tensor {
			return of(read(k.Inputs[0]), read(k.Inputs[1]))
		}
	}
	unary := func(of func(x torch.Tensor) torch.Tensor) operator {
		return func(n *Network, read func(string) torch.Tensor, k *onnx.Node) torch.Tensor {
			return of(read(k.Inputs[0]))
		}
	}
	layer := func(n *Network, read func(string) torch.Tensor, k *onnx.Node) torch.Tensor {
		l := n.layers[k.Inputs[1]]
		bias := torch.Tensor{}
		if l.bias != nil {
			bias = l.bias.Tensor
		}
		return product(k, read(k.Inputs[0]), l.weight.Tensor, bias)
	}
	floating = map[string]operator{
		"Conv": layer, "Gemm": layer,
		"Add": binary(torch.Tensor.Add), "Sub": binary(torch.Tensor.Sub), "Mul": binary(torch.Tensor.Mul), "Div": binary(torch.Tensor.Div),
		onnx.ReLUOp: unary(torch.Tensor.ReLU), "Sigmoid": unary(torch.Tensor.Sigmoid), "Tanh": unary(torch.Tensor.Tanh),
		"Identity":          unary(func(x torch.Tensor) torch.Tensor { return x.ViewAs(x) }),
		"Flatten":           unary(func(x torch.Tensor) torch.Tensor { return x.Reshape(x.Size(0), -1) }),
		"GlobalAveragePool": unary(func(x torch.Tensor) torch.Tensor { return torch.AdaptiveAvgPool2d(x, 1, 1) }),
		"MaxPool": func(n *Network, read func(string) torch.Tensor, k *onnx.Node) torch.Tensor {
			return torch.MaxPool2d(read(k.Inputs[0]), poolOf(k))
		},
		"AveragePool": func(n *Network, read func(string) torch.Tensor, k *onnx.Node) torch.Tensor {
			return torch.AvgPool2d(read(k.Inputs[0]), poolOf(k))
		},
		"Concat": func(n *Network, read func(string) torch.Tensor, k *onnx.Node) torch.Tensor {
			var parts []torch.Tensor
			for _, name := range k.Inputs {
				parts = append(parts, read(name))
			}
			return torch.Cat(parts, k.Int("axis"))
		},
		"Slice": func(n *Network, read func(string) torch.Tensor, k *onnx.Node) torch.Tensor {
			constant := func(at int) []int64 { return n.graph.Constants[k.Inputs[at]].Integers() }
			y, firsts, ends, axes := read(k.Inputs[0]), constant(1), constant(2), constant(3)
			for i, axis := range axes {
				step := 1
				if len(k.Inputs) > 4 {
					step = int(constant(4)[i])
				}
				y = y.Slice(int(axis), int(firsts[i]), int(ends[i]), step)
			}
			return y
		},
		"BatchNormalization": func(n *Network, read func(string) torch.Tensor, k *onnx.Node) torch.Tensor {
			return torch.BatchNorm(read(k.Inputs[0]), read(k.Inputs[1]), read(k.Inputs[2]), read(k.Inputs[3]), read(k.Inputs[4]),
				torch.BatchNormOptions{Eps: float64(k.Float("epsilon"))})
		},
	}
}

func poolOf(k *onnx.Node) torch.Pool2dOptions {
	o := torch.Pool2dOptions{Kernel: k.Ints("kernel_shape")[0], Stride: 1, ExcludePad: true}
	if strides := k.Ints("strides"); strides != nil {
		o.Stride = strides[0]
	}
	if pads := k.Ints("pads"); pads != nil {
		o.Padding = pads[0]
	}
	return o
}
