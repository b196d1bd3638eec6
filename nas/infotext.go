package nas

import (
	"fmt"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas/config"
	"godarts/nas/data/texts"
	"godarts/torch"
	"godarts/torch/nn"
)

// recurrentInfo is of the language models that the paper trains of a cell.
func recurrentInfo(g genotype.Genotype) (infos []Info, err error) {
	for _, published := range []struct{ name, data string }{{"Penn Treebank", config.PTB}, {"WikiText-2", config.WikiText2}} {
		c, err := config.Parse(published.data, []byte("experiment: train\ndata: {name: "+published.data+"}"))
		if err != nil {
			return nil, err
		}
		if published.data == config.WikiText2 {
			c.Network.Hidden = 700
		}
		var info Info
		err = torch.Do(func() (err error) {
			info, err = modelInfo(c, g, texts.PublishedWords(published.data))
			return err
		})
		if err != nil {
			return nil, err
		}
		info.Network = published.name + ": " + info.Network
		infos = append(infos, info)
	}
	return infos, nil
}

// modelInfo is of the language model of g that c trains for so many words.
func modelInfo(c *config.Config, g genotype.Genotype, words int) (Info, error) {
	net, err := cells.NewRecurrentNetwork(g, recurrentOptions(c, words))
	if err != nil {
		return Info{}, err
	}
	return Info{Network: modelWords(c, len(g.Recurrent.Edges), words), Batch: c.Data.Batch, Cost: nn.Cost{Parameters: net.ParameterCount()}}, nil
}

func modelWords(c *config.Config, nodes, words int) string {
	return fmt.Sprintf("%d units, %d nodes, %d words", c.Network.Hidden, nodes, words)
}

// textInfo is of the network that c makes for its text; where is its file or run folder.
func textInfo(c *config.Config, where string) ([]Info, error) {
	words := texts.PublishedWords(c.Data.Name)
	if words == 0 || c.Data.Tokens > 0 {
		corpus, err := texts.Options{Name: c.Data.Name, Root: c.Data.Root, Tokens: c.Data.Tokens}.Open()
		if err != nil {
			return nil, err
		}
		words = len(corpus.Words)
	}
	if err := checkText(c, words, torch.CPU); err != nil {
		return nil, err
	}
	if c.Experiment == config.Train || c.FromScratch() {
		g, err := trainedCell(c)
		if err != nil {
			return nil, err
		}
		info, err := modelInfo(c, g, words)
		return []Info{info}, err
	}
	net, err := darts.NewRecurrentPlain(recurrentSupernetOptions(c, words, torch.Options{Dtype: dtype(c)}))
	if err != nil {
		return nil, err
	}
	what := "search network: " + modelWords(c, c.Network.Nodes, words)
	infos := []Info{{Network: what, Batch: c.Data.Batch, Cost: nn.Cost{Parameters: net.ParameterCount()}}}
	found, err := foundInfo(where, true)
	return append(infos, found...), err
}
