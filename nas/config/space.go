package config

// Values of Space.Name: all operations of DARTS, and the reduced spaces of arXiv 1909.09656.
const (
	AllOperations = "darts"

	S1 = "s1"
	S2 = "s2"
	S3 = "s3"
)

// Space is the set of cells that a search chooses from: the operations of each edge. Nodes
// are Network.Nodes.
type Space struct {
	Name       string     `key:"name" oneof:"darts s1 s2 s3" doc:"operations to choose from: darts, all eight on every edge, or a reduced space of 4 nodes: s1 (two on each edge), s2 (skip_connect, sep_conv_3x3), s3 (with none)"`
	Operations []string   `key:"operations" oneof:"OPERATION" doc:"operations of every edge, in place of those of space.name"`
	Normal     [][]string `key:"normal" oneof:"OPERATION" doc:"operations of each edge of normal cells, node by node, by input"`
	Reduce     [][]string `key:"reduce" oneof:"OPERATION" doc:"operations of each edge of reduction cells, node by node, by input"`

	Parameters int `key:"parameters" by:"named" range:"[0,)" doc:"most weights that the network of a cell may have, the auxiliary head aside; 0 is no limit"`
}
