package cells

import (
	"math"
	"math/rand/v2"
	"slices"

	"godarts/torch"
	"godarts/torch/nn"
)

// Masks are the factors of dropout in a training pass: 0 or 1/(1 − p). The zero Tensor stands for ones.
type Masks struct {
	Output, State, Input, Embedding torch.Tensor // [B,units]
	Word                            torch.Tensor // [tokens,1]
}

// mask is the place of one of m, and how it is drawn.
type mask struct {
	at            *torch.Tensor
	p             float64
	rows, columns int
}

// drawn are those of m that a pass over that many columns needs, as they follow each other in a row of DrawMasks.
func (o LanguageOptions) drawn(m *Masks, columns int) (each []mask, numbers int) {
	d := o.Dropout
	each = slices.DeleteFunc([]mask{
		{&m.Word, d.Word, o.Tokens, 1},
		{&m.Embedding, d.Embedding, columns, o.Units},
		{&m.Input, d.Input, columns, o.Units},
		{&m.State, d.State, columns, o.Units},
		{&m.Output, d.Output, columns, o.Units},
	}, func(m mask) bool { return m.p == 0 })
	for _, m := range each {
		numbers += m.rows * m.columns
	}
	return each, numbers
}

// DrawMasks draws the dropout masks of training passes over batches of that many columns, of each pass from a stream of
// its own: [passes,numbers], whose rows are what nn.Batch.Masks gives. The passes themselves draw nothing, so that they
// can be captured in a graph. Where nothing is dropped it draws nothing and returns the zero Tensor. It panics with
// *torch.Error for options that no language model has.
func (o LanguageOptions) DrawMasks(columns int, streams ...*rand.Rand) torch.Tensor {
	if err := o.Check(); err != nil {
		torch.Misuse("cells.DrawMasks", "%s", err)
	}
	if columns < 1 || columns > math.MaxInt32/o.Units {
		torch.Misuse("cells.DrawMasks", "%d columns of %d units", columns, o.Units)
	}
	each, width := o.drawn(new(Masks), columns)
	if width == 0 || len(streams) == 0 {
		return torch.Tensor{}
	}
	rows := torch.Empty([]int{len(streams), width}, torch.Options{Dtype: o.Dtype})
	for i, r := range streams {
		if r == nil {
			torch.Misuse("cells.DrawMasks", "no stream for pass %d", i)
		}
		torch.Scoped(func() { drawRow(rows.Select(0, i), each, r) })
	}
	return rows.Upload(o.Device)
}

// drawRow draws masks from r to row, one after the other.
func drawRow(row torch.Tensor, each []mask, r *rand.Rand) {
	at, numbers := 0, make([]float64, 0, min(row.Size(0), 1<<16))
	flush := func() {
		row.Narrow(0, at, len(numbers)).Copy_(torch.FromSlice(numbers, len(numbers)))
		at, numbers = at+len(numbers), numbers[:0]
	}
	for _, m := range each {
		kept := 1 / (1 - m.p)
		for range m.rows * m.columns {
			if len(numbers) == cap(numbers) {
				flush()
			}
			factor := 0.0
			if r.Float64() >= m.p {
				factor = kept
			}
			numbers = append(numbers, factor)
		}
	}
	flush()
}

// masks views the masks of a training pass over b.
func (o LanguageOptions) masks(b nn.Batch) (m Masks) {
	each, numbers := o.drawn(&m, b.X.Size(1))
	if len(each) == 0 {
		return m
	}
	if b.Masks == nil {
		torch.Misuse("cells.Language", "a training pass with dropout on a batch without Masks")
	}
	row := b.Masks()
	if shape := row.Shape(); !slices.Equal(shape, []int{numbers}) {
		torch.Misuse("cells.Language", "masks of shape %v, wanted [%d]", shape, numbers)
	}
	row = row.ToDtype(o.Dtype)
	at := 0
	for _, m := range each {
		n := m.rows * m.columns
		*m.at = row.Narrow(0, at, n).View(m.rows, m.columns)
		at += n
	}
	return m
}

// masked returns x∘mask.
func masked(x, mask torch.Tensor) torch.Tensor {
	if !mask.Defined() {
		return x
	}
	return x.Mul(mask)
}
