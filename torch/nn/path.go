package nn

import (
	"strconv"
	"sync/atomic"

	"godarts/torch"
)

// Builder collects the parameters and buffers of a network while its layers are
// made, in PyTorch's order. Build then lays them out in flat tensors.
type Builder struct {
	parameters, buffers []*Parameter
}

// Parameter is a named tensor of a network: a weight, or a buffer of running
// statistics. Before Build it holds the first value, in float32 on the CPU;
// after it a view of the flat tensor.
type Parameter struct {
	torch.Tensor
	Name  string
	shape []int
	moves atomic.Uint64 // training passes that may have moved running statistics
}

// Path is a place in the tree of a network's names.
type Path struct {
	b    *Builder
	name string
}

// Root is the place that all names start from.
func (b *Builder) Root() Path { return Path{b: b} }

// At is the place name below p.
func (p Path) At(name string) Path { return Path{p.b, p.join(name)} }

// Index is the place of entry i of a list at p.
func (p Path) Index(i int) Path { return p.At(strconv.Itoa(i)) }

func (p Path) join(name string) string {
	if p.name == "" {
		return name
	}
	return p.name + "." + name
}

// Parameter registers a weight by its first value, which it takes over.
func (p Path) Parameter(name string, first torch.Tensor) *Parameter {
	p.needBuilder()
	q := &Parameter{Tensor: first, Name: p.join(name), shape: first.Shape()}
	p.b.parameters = append(p.b.parameters, q)
	return q
}

// Buffer registers running statistics by their first value, which it takes over.
func (p Path) Buffer(name string, first torch.Tensor) *Parameter {
	p.needBuilder()
	q := &Parameter{Tensor: first, Name: p.join(name), shape: first.Shape()}
	p.b.buffers = append(p.b.buffers, q)
	return q
}

func (p Path) needBuilder() {
	if p.b == nil {
		torch.Misuse("nn", "the zero Path belongs to no Builder")
	}
}

// value returns the tensor of p. It panics with *torch.Error in a layer that no New function made.
func (p *Parameter) value() torch.Tensor {
	p.need()
	return p.Tensor
}

// sizes returns the shape of p. It panics as value does.
func (p *Parameter) sizes() []int {
	p.need()
	return p.shape
}

func (p *Parameter) need() {
	if p == nil {
		torch.Misuse("nn", "the layer has no weights: make it by its New function")
	}
}
