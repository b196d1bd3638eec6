package darts

import (
	"fmt"
	"slices"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// Rows of a PerturbationSupernet that stand for no operation, see Rows.
const (
	Undecided = -1 // softmax(α) weighs the edge's operations
	Deleted   = -2 // the edge adds nothing
)

// PerturbationSupernet is a supernet whose edges are decided one after another. A decision compares how much
// validation accuracy is lost without an operation, or without an edge, and does not look at α: perturbation-based
// selection, Wang et al., arXiv 2108.04392, Algorithm 1. A decided edge has one operation with weight 1; its row of α
// has no effect and no gradient any more. The supernet shares weights and α with the Plain that it is made of.
type PerturbationSupernet struct {
	*Plain
	rows    [genotype.ConvolutionalKinds][]int // for each edge the column of its operation, undecided or deleted
	removed entry                              // what the present measurement leaves out
}

// entry is one entry of a table of α, or a whole row if its column is deleted. The zero entry is none.
type entry struct {
	on           bool
	kind         genotype.Kind
	edge, column int
}

var (
	_ Supernet = (*PerturbationSupernet)(nil)
	_ Hessian  = (*PerturbationSupernet)(nil)
)

// NewPerturbationSupernet makes a supernet on net, without any decision.
func NewPerturbationSupernet(net *Plain) *PerturbationSupernet {
	p := &PerturbationSupernet{Plain: net}
	for kind, a := range net.architectures {
		p.rows[kind] = slices.Repeat([]int{Undecided}, len(a.Ops))
	}
	return p
}

// decided makes the mixtures of a pass: softmax(α), and the decisions.
func (p *PerturbationSupernet) decided() mixtures {
	mix := p.mixed()
	for kind, rows := range p.rows {
		for e, row := range rows {
			if row == Undecided {
				continue
			}
			clear(mix.of[kind][e])
			if row != Deleted {
				mix.of[kind][e][row] = torch.Ones([]int{1}, p.architectures[kind].Alpha.Options())
			}
		}
	}
	if r := p.removed; r.on {
		row := mix.of[r.kind][r.edge]
		if r.column == Deleted {
			clear(row)
		} else {
			row[r.column] = torch.Tensor{} // the others' weights stay as they are
		}
	}
	return mix
}

// Gradients implements Supernet.
func (p *PerturbationSupernet) Gradients(w torch.Tensor, b nn.Batch, need Need) Result {
	return p.gradients(w, b, need, p.decided)
}

// Eval implements Supernet.
func (p *PerturbationSupernet) Eval(b nn.Batch) nn.Output { return p.eval(b, p.decided) }

// HessianVectorProduct implements Hessian.
func (p *PerturbationSupernet) HessianVectorProduct(v torch.Tensor, b nn.Batch) []torch.Tensor {
	return p.hessianVectorProduct(v, b, p.decided)
}

// Measure runs the pass that decisions rest on, with the statistics of the batch, as in training. The running
// statistics stay as they are; in the paper's code they move.
func (p *PerturbationSupernet) Measure(b nn.Batch) (out nn.Output) {
	torch.NoGrad(func() {
		out = p.Gradients(p.W(), b, Need{FreezeStatistics: true}).Output
	})
	return out
}

// Genotype implements Supernet: it derives the cells from the rows as they stand. Where an edge was decided to be
// "none", which no cell has, it takes the operation with the largest α, "none" excluded; the paper's code takes the
// first of the list.
func (p *PerturbationSupernet) Genotype() (g genotype.Genotype) {
	for kind := range genotype.ConvolutionalKinds {
		a := p.architectures[kind]
		mix := a.probabilities()
		for e, row := range p.rows[kind] {
			if row == Undecided || row >= 0 && a.Ops[e][row] == genotype.None {
				continue
			}
			clear(mix[e])
			if row != Deleted {
				mix[e][row] = 1
			}
		}
		*g.Cell(kind) = discretize(mix, a.Ops)
	}
	return g
}

// Undecided returns the edges of the cells of that kind whose operation is not decided.
func (p *PerturbationSupernet) Undecided(kind genotype.Kind) (edges []int) {
	p.need(kind, 0)
	for e, row := range p.rows[kind] {
		if row == Undecided {
			edges = append(edges, e)
		}
	}
	return edges
}

// Open returns the nodes of the cells of that kind, from 0, that have more than two edges.
func (p *PerturbationSupernet) Open(kind genotype.Kind) (nodes []int) {
	p.need(kind, 0)
	for i := 0; FirstEdge(i) < len(p.rows[kind]); i++ {
		if len(p.edges(kind, i)) > EdgesKept {
			nodes = append(nodes, i)
		}
	}
	return nodes
}

// need panics with *torch.Error unless the cells of that kind have the edge.
func (p *PerturbationSupernet) need(kind genotype.Kind, edge int) {
	if kind < 0 || kind >= genotype.ConvolutionalKinds || edge < 0 || edge >= len(p.rows[kind]) {
		torch.Misuse("darts.PerturbationSupernet", "there is no edge %d of cells of kind %d", edge, kind)
	}
}

// edges returns the edges of a node that are not deleted.
func (p *PerturbationSupernet) edges(kind genotype.Kind, node int) (edges []int) {
	for e := FirstEdge(node); e < FirstEdge(node+1); e++ {
		if p.rows[kind][e] != Deleted {
			edges = append(edges, e)
		}
	}
	return edges
}

// DecideOperation decides an edge. It keeps the operation, which may be "none", without which accuracy is lowest, the
// first of equal ones. accuracy measures p as it stands; if it fails the edge stays undecided.
func (p *PerturbationSupernet) DecideOperation(kind genotype.Kind, edge int, accuracy func() (float64, error)) error {
	p.need(kind, edge)
	torch.NeedFunction("darts.PerturbationSupernet", accuracy == nil)
	row, err := lowest(len(p.architectures[kind].Ops[edge]), func(k int) (float64, error) {
		return p.without(entry{true, kind, edge, k}, accuracy)
	})
	if err == nil {
		p.rows[kind][edge] = row
	}
	return err
}

// DecideNode keeps the two edges of a node without which accuracy is lowest, and deletes the others. It measures the
// removal of each edge by itself; of equal ones the first stays. If accuracy fails all edges stay.
func (p *PerturbationSupernet) DecideNode(kind genotype.Kind, node int, accuracy func() (float64, error)) error {
	if node < 0 || node >= len(p.rows[0]) {
		torch.Misuse("darts.PerturbationSupernet", "there is no node %d", node)
	}
	p.need(kind, FirstEdge(node+1)-1)
	torch.NeedFunction("darts.PerturbationSupernet", accuracy == nil)
	edges := p.edges(kind, node)
	without := make([]float64, len(edges))
	for i, e := range edges {
		var err error
		if without[i], err = p.without(entry{true, kind, e, Deleted}, accuracy); err != nil {
			return err
		}
	}
	for _, i := range ascending(without)[min(EdgesKept, len(without)):] {
		p.rows[kind][edges[i]] = Deleted
	}
	return nil
}

// without returns accuracy with e removed.
func (p *PerturbationSupernet) without(e entry, accuracy func() (float64, error)) (float64, error) {
	p.removed = e
	defer func() { p.removed = entry{} }()
	return accuracy()
}

// lowest returns the first of n options with the lowest accuracy.
func lowest(n int, accuracy func(i int) (float64, error)) (at int, err error) {
	var best float64
	for i := range n {
		a, err := accuracy(i)
		if err != nil {
			return 0, err
		}
		if i == 0 || a < best {
			at, best = i, a
		}
	}
	return at, nil
}

// Rows returns the decisions as numbers [2, edges], for a checkpoint: the column of an edge's operation, or a
// negative number for an edge that is deleted or undecided.
func (p *PerturbationSupernet) Rows() torch.Tensor {
	var all []int64
	for _, rows := range p.rows {
		for _, row := range rows {
			all = append(all, int64(row))
		}
	}
	return torch.FromSlice(all, len(p.rows), len(p.rows[0]))
}

// SetRows takes the decisions that Rows returned. It returns an error for other numbers, and then changes nothing.
func (p *PerturbationSupernet) SetRows(decided torch.Tensor) error {
	edges := len(p.rows[0])
	if !slices.Equal(decided.Shape(), []int{len(p.rows), edges}) {
		return fmt.Errorf("darts: decisions of shape %v, want [%d %d]", decided.Shape(), len(p.rows), edges)
	}
	var rows [genotype.ConvolutionalKinds][]int
	for i, row := range decided.Int64s() {
		kind, e := i/edges, i%edges
		if row < Deleted || row >= int64(len(p.architectures[kind].Ops[e])) {
			return fmt.Errorf("darts: edge %d is decided to be %d, which is no operation of it", e, row)
		}
		rows[kind] = append(rows[kind], int(row))
	}
	p.rows = rows
	return nil
}
