package texts

import (
	"math/rand/v2"
	"slices"

	"godarts/nas"
	"godarts/torch"
)

// Masks draws the dropout masks of the passes of steps over one text ahead of them, always to the same place: a tensor
// that comes before the large ones of a step would lie in the room of one of the last step, which then needs new memory
// (8 % more of all, in a training on Penn Treebank).
type Masks struct {
	feed        *Feed
	of          string
	owner, rows torch.Tensor
}

// NewMasks makes the masks of one text, "train" or "valid", that lie in the scope of owner.
func (f *Feed) NewMasks(of string, owner torch.Tensor) *Masks {
	return &Masks{feed: f, of: of, owner: owner}
}

// Draw draws the masks of shared passes, or groups of passes that share theirs, and then of own ones, for cells.RowsOf.
// The next call overwrites them.
func (m *Masks) Draw(s *nas.Step, shared, own int) torch.Tensor {
	torch.Scoped(func() {
		drawn := m.draw(s, shared, own)
		if !drawn.Defined() { // nothing is dropped
			return
		}
		if m.rows.Defined() && !slices.Equal(m.rows.Shape(), drawn.Shape()) {
			m.rows.Free()
			m.rows = torch.Tensor{}
		}
		if !m.rows.Defined() {
			m.rows = torch.KeepWith(torch.EmptyLike(drawn), m.owner)
		}
		m.rows.Copy_(drawn)
	})
	return m.rows
}

func (m *Masks) draw(s *nas.Step, shared, own int) torch.Tensor {
	f := m.feed
	stream := f.MaskStreams(m.of, s.Run.At, s.Index)
	var streams []*rand.Rand
	for pass := range shared + own {
		r := stream()
		if pass < shared { // its first numbers are the seed of what the passes share
			first, second := r.Uint64(), r.Uint64()
			r = rand.New(rand.NewPCG(first, second))
		}
		streams = append(streams, r)
	}
	o := LanguageOptions(f.config, len(f.Corpus.Words))
	o.Options = f.to
	return o.DrawMasks(f.config.Data.Columns(), streams...)
}
