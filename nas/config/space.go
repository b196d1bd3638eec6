package config

import "fmt"

// Values of Space.Name, besides DARTS: the reduced spaces of arXiv 1909.09656.
const (
	S1 = "s1"
	S2 = "s2"
	S3 = "s3"
)

// Space is the set of cells that a search chooses from: the operations of each edge. Nodes
// are Network.Nodes.
type Space struct {
	Name       string     `key:"name" oneof:"darts s1 s2 s3" doc:"operations to choose from: darts, all eight on every edge, or a reduced space of 4 nodes: s1 (two on each edge), s2 (skip_connect, sep_conv_3x3), s3 (with none)"`
	Operations []string   `key:"operations" oneof:"none max_pool_3x3 avg_pool_3x3 skip_connect sep_conv_3x3 sep_conv_5x5 dil_conv_3x3 dil_conv_5x5" doc:"operations of every edge, in place of those of space.name"`
	Normal     [][]string `key:"normal" oneof:"none max_pool_3x3 avg_pool_3x3 skip_connect sep_conv_3x3 sep_conv_5x5 dil_conv_3x3 dil_conv_5x5" doc:"operations of each edge of normal cells, node by node, by input"`
	Reduce     [][]string `key:"reduce" oneof:"none max_pool_3x3 avg_pool_3x3 skip_connect sep_conv_3x3 sep_conv_5x5 dil_conv_3x3 dil_conv_5x5" doc:"operations of each edge of reduction cells, node by node, by input"`

	Parameters int `key:"parameters" for:"random evolution" range:"[0,)" doc:"most weights that the network of a cell may have, the auxiliary head aside; 0 is no limit"`
}

// checkSpace refuses what gives no space.
func (l *layers) checkSpace(c *Config, file origin) error {
	s, nodes := c.Space, c.Network.Nodes
	refuse := func(key, other, format string, args ...any) error {
		return fmt.Errorf("config: %v: %s: %s", l.blame(file, key, other), key, fmt.Sprintf(format, args...))
	}
	if s.Name != DARTS && nodes != 4 {
		return refuse("space.name", "network.nodes", "%s is a space of cells of 4 nodes, want network.nodes 4 instead of %d, or darts", s.Name, nodes)
	}
	if s.Name != DARTS && len(s.Operations) > 0 {
		return refuse("space.operations", "space.name", "takes the place of %s on every edge, want space.name darts", s.Name)
	}
	edges := nodes * (nodes + 3) / 2
	lists := []struct {
		key string
		ops [][]string
	}{{"space.operations", [][]string{s.Operations}}, {"space.normal", s.Normal}, {"space.reduce", s.Reduce}}
	for i, list := range lists {
		if i > 0 && len(list.ops) != 0 && len(list.ops) != edges {
			return refuse(list.key, "network.nodes", "%d lists for the %d edges of cells with %d nodes", len(list.ops), edges, nodes)
		}
		for e, ops := range list.ops {
			if what := wrongOperations(ops); what != "" && (i > 0 || len(ops) > 0) {
				where := ""
				if i > 0 {
					where = fmt.Sprintf("edge %d: ", e)
				}
				return refuse(list.key, list.key, "%s%s", where, what)
			}
		}
	}
	return nil
}

// wrongOperations says what keeps ops from being those of an edge, nothing if they can be.
func wrongOperations(ops []string) string {
	seen := map[string]bool{}
	for _, op := range ops {
		if seen[op] {
			return op + " is there twice"
		}
		seen[op] = true
	}
	if len(ops) == 0 || len(ops) == 1 && seen["none"] {
		return "no operation besides none"
	}
	return ""
}
