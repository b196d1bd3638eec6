package corpus

import "math"

// Columns is a text cut into parts of equal length, the columns of a batch.
type Columns struct {
	Rows, Columns int // Rows tokens in each column
	tokens        []int32
}

// NewColumns cuts tokens into columns of equal length. It drops the rest at the end.
// Reference rnn/utils.py batchify.
func NewColumns(tokens []int32, columns int) Columns {
	return Columns{Rows: len(tokens) / columns, Columns: columns, tokens: tokens}
}

// Chunk returns n rows that begin at row from, fewer at the end, and for each token the
// one that follows it: x and y [n', Columns], n' = min(n, Rows − 1 − from). Reference
// rnn/utils.py get_batch.
func (c Columns) Chunk(from, n int) (x, y []int64) {
	n = min(n, c.Rows-1-from)
	x, y = make([]int64, 0, n*c.Columns), make([]int64, 0, n*c.Columns)
	for row := from; row < from+n; row++ {
		for column := range c.Columns {
			at := column*c.Rows + row
			x, y = append(x, int64(c.tokens[at])), append(y, int64(c.tokens[at+1]))
		}
	}
	return x, y
}

// UnigramLoss returns the mean negative log likelihood of all tokens that chunks of
// columns predict, under a model that knows only the frequency of each word:
// p(word) = (count in Train + 1)/(len(Train) + len(Words)).
func (c *Corpus) UnigramLoss(columns Columns) float64 {
	counts := make([]int, len(c.Words))
	for _, token := range c.Train {
		counts[token]++
	}
	sum, n := 0.0, columns.Columns*(columns.Rows-1)
	for column := range columns.Columns {
		for _, token := range columns.tokens[column*columns.Rows+1 : (column+1)*columns.Rows] {
			sum -= math.Log(float64(counts[token] + 1))
		}
	}
	return sum/float64(n) + math.Log(float64(len(c.Train)+len(c.Words)))
}
