package info

import (
	"fmt"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/data/corpus"
	"godarts/nas/search"
	"godarts/nas/texts"
	"godarts/torch"
	"godarts/torch/nn"
)

// recurrentInfo returns the costs of the language models that the paper trains of a cell.
func recurrentInfo(g genotype.Genotype) (infos []Info, err error) {
	for _, name := range []string{config.PTB, config.WikiText2} {
		c, err := config.Parse(name, []byte("experiment: train\ndata: {name: "+name+"}"))
		if err != nil {
			return nil, err
		}
		published, _ := corpus.Find(name)
		if name == config.WikiText2 {
			c.Network.Hidden = 700
		}
		var info Info
		err = torch.Do(func() (err error) {
			info, err = modelInfo(c, g, published.Words)
			return err
		})
		if err != nil {
			return nil, err
		}
		info.Network = map[string]string{config.PTB: "Penn Treebank", config.WikiText2: "WikiText-2"}[name] + ": " + info.Network
		infos = append(infos, info)
	}
	return infos, nil
}

// modelInfo returns the cost of the language model of g that c trains for a dictionary of this many
// words.
func modelInfo(c *config.Config, g genotype.Genotype, words int) (Info, error) {
	net, err := cells.NewRecurrentNetwork(g, texts.RecurrentOptions(c, words))
	if err != nil {
		return Info{}, err
	}
	return Info{Network: modelWords(c, len(g.Recurrent.Edges), words), Batch: c.Data.Batch, Cost: nn.Cost{Parameters: net.ParameterCount()}}, nil
}

func modelWords(c *config.Config, nodes, words int) string {
	return fmt.Sprintf("%d units, %d nodes, %d words", c.Network.Hidden, nodes, words)
}

// textInfo returns the cost of the network that c makes for its text; where is its file or run folder.
func textInfo(c *config.Config, where string) ([]Info, error) {
	known, _ := corpus.Find(c.Data.Name)
	words := known.Words
	if words == 0 || c.Data.Tokens > 0 {
		text, err := corpus.Options{Name: c.Data.Name, Root: c.Data.Root, Tokens: c.Data.Tokens}.Open()
		if err != nil {
			return nil, err
		}
		words = len(text.Words)
	}
	if err := texts.Check(c, words, torch.CPU); err != nil {
		return nil, err
	}
	if c.Experiment == config.Train || c.FromScratch() {
		g, err := texts.TrainedCell(c)
		if err != nil {
			return nil, err
		}
		info, err := modelInfo(c, g, words)
		return []Info{info}, err
	}
	net, err := darts.NewRecurrentPlain(search.RecurrentSupernetOptions(c, words, torch.Options{Dtype: nas.Dtype(c)}))
	if err != nil {
		return nil, err
	}
	what := "search network: " + modelWords(c, c.Network.Nodes, words)
	infos := []Info{{Network: what, Batch: c.Data.Batch, Cost: nn.Cost{Parameters: net.ParameterCount()}}}
	found, err := foundInfo(where, true)
	return append(infos, found...), err
}
