package model

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestExportLanguageModel(t *testing.T) {
	// An exported language model gives the same logits and state in PyTorch over two chunks, for published cells and one with every activation.
	if testing.Short() {
		t.Skip("-short: imports PyTorch three times")
	}
	python := Pytorch(t)
	const script = `
import json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import torch, network
model, about = network.load()
tokens = torch.tensor(json.load(sys.stdin))
with torch.no_grad():
    state = model.start(tokens.shape[2])
    scripted, captured = torch.jit.script(model), torch.export.export(model, (tokens[0], state)).module()
    for chunk in tokens:
        logits, after = model(chunk, state)
        for other in (scripted, captured):
            for a, b in zip(other(chunk, state), (logits, after)):
                assert torch.allclose(a, b, rtol=0, atol=1e-6), (a - b).abs().max()
        state = after
        print(json.dumps(logits.flatten().tolist() + after.flatten().tolist()))
`
	for _, name := range []string{"DARTS_V2", "ENAS", "Genotype(recurrent=[('sigmoid', 0), ('tanh', 1), ('relu', 0), ('identity', 2)], concat=[1, 3, 4])"} {
		t.Run(name, func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(2)
			g, err := genotype.Parse(name)
			if len(name) < 20 {
				g, err = genotype.LookupRecurrent(name)
			}
			if err != nil {
				t.Fatal(err)
			}
			const tokens, units, steps, columns = 11, 6, 4, 3
			net, err := cells.NewRecurrentNetwork(g, cells.RecurrentOptions{LanguageOptions: cells.LanguageOptions{Tokens: tokens, Units: units}})
			if err != nil {
				t.Fatal(err)
			}
			torch.NoGrad(func() { net.Weights().W.MulScalar_(20) }) // far from the first weights, near which every gate is linear
			content, err := EncodeWeights(net.StateDict(), Description{Genotype: g, Units: units})
			if err != nil {
				t.Fatal(err)
			}
			weights := filepath.Join(t.TempDir(), runfolder.WeightsFile)
			if err := os.WriteFile(weights, content, 0o644); err != nil {
				t.Fatal(err)
			}
			to := t.TempDir()
			if _, err := export(weights, to, someTraining(t), false); err != nil {
				t.Fatal(err)
			}
			var chunks [2][steps][columns]int64
			for i := range chunks {
				for at := range steps {
					for c := range columns {
						chunks[i][at][c] = int64((7*i + 5*at + 3*c) % tokens)
					}
				}
			}
			input, err := json.Marshal(chunks)
			if err != nil {
				t.Fatal(err)
			}
			p := exec.Command(python, "-c", script, to)
			p.Stdin = strings.NewReader(string(input))
			out, err := p.CombinedOutput()
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			if err != nil || len(lines) != len(chunks) {
				t.Fatalf("%v: %s", err, out)
			}
			var state torch.Tensor
			for i, line := range lines {
				var got []float64
				if err := json.Unmarshal([]byte(line), &got); err != nil {
					t.Fatal(err)
				}
				var flat []int64
				for _, row := range chunks[i] {
					flat = append(flat, row[:]...)
				}
				x := torch.FromSlice(flat, steps, columns)
				want := net.Forward(nn.Batch{X: x, Y: x.View(-1), Hidden: state}, nn.Mode{})
				const logits = steps * columns * tokens
				torchtest.Close(t, "logits", torch.FromSlice(got[:logits], steps*columns, tokens), want.Logits.ToDtype(torch.Float64), 1e-5)
				torchtest.Close(t, "state", torch.FromSlice(got[logits:], 1, columns, units), want.Hidden.ToDtype(torch.Float64), 1e-5)
				state = want.Hidden
			}
		})
	}
}

func TestHubConfig(t *testing.T) {
	// config.json names the classes both ways, and leaves the words of a language model to the weights.
	g, err := genotype.Parse("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	text, err := hubConfig(Description{Genotype: g, Classes: 2, ClassNames: []string{"cat", "</script>"}})
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		ID2Label map[string]string `json:"id2label"`
		Label2ID map[string]int    `json:"label2id"`
		Size     int               `json:"vocab_size"`
		Words    []string          `json:"words"`
	}
	if err := json.Unmarshal(text, &c); err != nil || c.ID2Label["1"] != "</script>" || c.Label2ID["cat"] != 0 || c.Label2ID["</script>"] != 1 {
		t.Errorf("%v: %s", err, text)
	}
	text, err = hubConfig(Description{Genotype: g, Units: 3, Tokens: 2, Words: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &c); err != nil || c.Size != 2 || c.Words != nil {
		t.Errorf("%v: %s", err, text)
	}
}
