package quantise

import (
	"fmt"
	"maps"
	"slices"

	"godarts/nas/onnx"
	"godarts/torch"
)

// StateDict implements nn.Module: what a file of the network holds. Weights are int8, under the names of the
// network in floating-point numbers, with their scales in NAME_scale [O]; biases are int32; scales and zero
// points of groups are float32 and uint8.
func (n *Network) StateDict() torch.StateDict {
	sd := torch.StateDict{}
	as := func(t torch.Tensor, d torch.Dtype) torch.Tensor { return t.ToDtype(d) }
	torch.NoGrad(func() {
		scales := n.readScales()
		for i := range n.graph.Nodes {
			k := &n.graph.Nodes[i]
			if k.Kind != onnx.InIntegers || n.layers[second(k)] == nil {
				continue
			}
			l := n.layers[second(k)]
			q, scale := n.integers(l)
			sd[l.name], sd[l.name+scaleEnding] = as(q, torch.Int8), as(scale, torch.Float32)
			if l.bias != nil {
				sd[l.bias.Name] = as(l.integerBias(scale, scales[n.groups[k.Inputs[0]]].Scale), torch.Int32)
			}
		}
		for name, t := range n.constants {
			sd[name] = as(t.Tensor, torch.Float32)
		}
		sd[scaleName], sd[zeroName] = as(n.scales.Tensor, torch.Float32), as(n.zeros.Tensor, torch.Uint8)
	})
	return sd
}

// second returns the second input of a node, which of a layer is the name of its weight.
func second(k *onnx.Node) string {
	if len(k.Inputs) < 2 {
		return ""
	}
	return k.Inputs[1]
}

// CheckStateDict returns LoadStateDict's error for entries of these names and shapes.
func (n *Network) CheckStateDict(shapes map[string][]int) (err error) {
	torch.Scoped(func() {
		own := n.StateDict()
		for _, name := range slices.Sorted(maps.Keys(own)) {
			got, there := shapes[name]
			switch want := own[name].Shape(); {
			case err != nil:
			case !there:
				err = fmt.Errorf("quantise: load state dict: %q of shape %v is missing", name, want)
			case !slices.Equal(got, want):
				err = fmt.Errorf("quantise: load state dict: %q has shape %v, the network %v", name, got, want)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(shapes)) {
			if _, known := own[name]; !known && err == nil {
				err = fmt.Errorf("quantise: load state dict: the network has no %.100q of shape %v", name, shapes[name])
			}
		}
	})
	return err
}

// LoadStateDict implements nn.Module. The network then computes with the integers of the state dict.
func (n *Network) LoadStateDict(sd torch.StateDict) error {
	shapes := make(map[string][]int, len(sd))
	for name, t := range sd {
		shapes[name] = t.Shape()
	}
	if err := n.CheckStateDict(shapes); err != nil {
		return err
	}
	torch.NoGrad(func() {
		n.scales.Copy_(sd[scaleName])
		n.zeros.Copy_(sd[zeroName])
		for name, t := range n.constants {
			t.Copy_(sd[name])
		}
		scales := n.readScales()
		for i := range n.graph.Nodes {
			k := &n.graph.Nodes[i]
			l := n.layers[second(k)]
			if l == nil {
				continue
			}
			scale := sd[l.name+scaleEnding]
			l.scale = torch.KeepWith(scale.To(n.o).Clone(), n.weights.W)
			torch.Scoped(func() {
				each := make([]int, l.weight.Dim())
				for d := range each {
					each[d] = 1
				}
				each[0] = -1
				l.weight.Copy_(sd[l.name].To(n.o).Mul(l.scale.View(each...)))
				if l.bias != nil {
					l.bias.Copy_(sd[l.bias.Name].To(n.o).Mul(l.scale.MulScalar(float64(scales[n.groups[k.Inputs[0]]].Scale))))
				}
			})
		}
	})
	return nil
}

// Encode returns the ONNX file of the network in integers.
func (n *Network) Encode(o onnx.Options) (file []byte, err error) {
	torch.Scoped(func() {
		sd := n.StateDict()
		q := onnx.Quantisation{Groups: n.readScales(), Weights: map[string]onnx.Quantised{}}
		for _, l := range n.layers {
			w := onnx.Quantised{Shape: sd[l.name].Shape(), Scale: sd[l.name+scaleEnding].Float32s()}
			for _, v := range sd[l.name].Int64s() {
				w.Weight = append(w.Weight, int8(v))
			}
			if l.bias != nil {
				for _, v := range sd[l.bias.Name].Int64s() {
					w.Bias = append(w.Bias, int32(v))
				}
			}
			q.Weights[l.name] = w
		}
		file, err = n.graph.Encode(q, o)
	})
	return file, err
}
