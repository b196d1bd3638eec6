package main

import (
	"bufio"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/model"
	"godarts/nas/names"
	"godarts/nas/rng"
	"godarts/torch"
)

// generateFlags are the flags of generate.
type generateFlags struct {
	prompt      string
	words       int
	temperature float64
	seed        int64
	device      string
	threads     threadsFlag
}

func newGenerate() *cobra.Command {
	var o generateFlags
	return newCommand(spec{
		use: "generate RUN|EXPORT [flags]", short: "write text by a trained language model",
		example: "darts generate runs/ptb-train --prompt \"the company said\" --words 50",
		min:     1, max: 1, wanted: "one RUN or EXPORT", complete: trained,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&o.prompt, "prompt", "", "`TEXT` to go on with; without it a sentence begins")
			f.IntVar(&o.words, "words", 100, "words to write after it")
			f.Float64Var(&o.temperature, "temperature", 1, "below 1 likely words become likelier; 0 takes the likeliest")
			f.Int64Var(&o.seed, "seed", 0, "draws the words")
			f.StringVar(&o.device, "device", "cpu", "cpu, cuda or cuda:N")
			o.threads.add(f)
		},
		run: func(c *cobra.Command, args []string) error { return o.generate(args[0], c.OutOrStdout()) },
	})
}

// mostWords is the largest number that --words accepts.
const mostWords = 1 << 30

// generate writes the prompt and what follows it; the end of a sentence is the end of a line.
func (o *generateFlags) generate(dir string, stdout io.Writer) error {
	if o.words < 1 || o.words > mostWords {
		return usagef("generate: --words %d: wanted 1 to %d", o.words, mostWords)
	}
	if o.seed < 0 {
		return usagef("generate: --seed %d: wanted 0 or more", o.seed)
	}
	if err := o.threads.use("generate"); err != nil {
		return err
	}
	d, err := torch.ParseDevice(o.device)
	if err != nil {
		return usageError{err}
	}
	return torch.Do(func() error {
		m, err := model.LoadLanguageModel(dir, d)
		if err != nil {
			return usageError{err}
		}
		prompt, err := m.Tokens(o.prompt)
		if err != nil {
			return usageError{err}
		}
		text, err := m.Generate(prompt, o.temperature, rng.Stream(o.seed, "generate"))
		if err != nil {
			return usageError{err}
		}
		w := wordWriter{w: bufio.NewWriter(stdout)}
		for _, token := range prompt {
			w.word(m.Words[token])
		}
		n := 0
		for token := range text {
			if err := w.word(m.Words[token]); err != nil {
				return err
			}
			if n++; n == o.words {
				break
			}
		}
		return w.end()
	})
}

// wordWriter writes words with spaces between them, and a line for each sentence.
type wordWriter struct {
	w      *bufio.Writer
	inLine bool
}

// word writes a word, and all lines that are complete.
func (t *wordWriter) word(word string) error {
	if word == model.EndOfSentence {
		return t.end()
	}
	if t.inLine {
		t.w.WriteByte(' ') // the writer keeps its first error
	}
	t.inLine = true
	t.w.WriteString(names.Print(word))
	return nil
}

func (t *wordWriter) end() error {
	if t.inLine {
		t.w.WriteByte('\n')
	}
	t.inLine = false
	return t.w.Flush()
}
