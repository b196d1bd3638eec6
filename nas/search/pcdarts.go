package search

import (
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
)

// PCDARTSKeys are the keys of PC-DARTS: DARTS in first order with a warm-up, on a supernet of partial
// channels with edge normalisation. Xu et al., arXiv 1907.05737.
type PCDARTSKeys struct {
	Partial int `key:"partial" range:"[1,)" doc:"the operations of an edge have one of this many of its channels; network.channels is a multiple of twice that"`
	Warmup  int `key:"warmup" range:"[0,)" doc:"epochs that train only the weights, before alpha moves"`
}

func init() {
	nas.Register(nas.Method{
		Method: config.Method{
			Name: "pc-darts", How: byGradients, Paper: "1907.05737", Alpha: true, Takes: []string{"alpha.cost"},
			Keys: PCDARTSKeys{Partial: 4, Warmup: 15},
			Defaults: func(c *config.Config) {
				c.Network.Form = config.Plain
				c.Data.Batch, c.W.LR, c.W.LRMin, c.Alpha.LR = 256, 0.1, 0, 6e-4
			},
			Rules: func(c *config.Config) *config.Problem {
				k := config.KeysAs[PCDARTSKeys](c).Partial
				if c.Network.Channels%(2*k) == 0 {
					return nil
				}
				const other = "strategy.partial"
				return config.Conflict("network.channels", other, "operations have one in %d (%s) of %d, which a reduction halves, want a multiple of %d",
					k, other, c.Network.Channels, 2*k)
			},
		},
		New: newPCDARTS,
		Supernets: func(c *config.Config, o darts.Options) []darts.Options {
			o.Partial, o.EdgeNormalisation = config.KeysAs[PCDARTSKeys](c).Partial, true
			return []darts.Options{o}
		},
	})
}

func newPCDARTS(r *nas.Run) (nas.Strategy, error) {
	return newGradientSearch(r, DARTSKeys{Order: 1, SkipLimit: -1}, config.KeysAs[PCDARTSKeys](r.Config).Warmup)
}
