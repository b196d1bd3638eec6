package blackbox_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/blackbox"
	"godarts/nas/rng"
)

// word is an architecture of three letters, a to d.
type word [3]byte

// words is their space.
type words struct{}

func (words) Sample(r *rand.Rand) word {
	return word{'a' + byte(r.IntN(4)), 'a' + byte(r.IntN(4)), 'a' + byte(r.IntN(4))}
}

func (words) Mutate(w word, r *rand.Rand) word {
	i := r.IntN(len(w))
	w[i] = 'a' + (w[i]-'a'+1+byte(r.IntN(3)))%4
	return w
}

func (words) Options() []int { return []int{4, 4, 4} }

func (words) Architecture(chosen []int) word {
	return word{'a' + byte(chosen[0]), 'a' + byte(chosen[1]), 'a' + byte(chosen[2])}
}

// count is the number of d in a word, the score to learn.
func count(_ context.Context, w word) (float64, error) {
	n := 0.0
	for _, letter := range w {
		if letter == 'd' {
			n++
		}
	}
	return n, nil
}

func strategies(r *rand.Rand) map[string]blackbox.Strategy[word] {
	return map[string]blackbox.Strategy[word]{
		"random":    blackbox.NewRandom[word](words{}),
		"evolution": blackbox.NewEvolution[word](words{}, 5, 3),
		"reinforce": blackbox.NewReinforce[word](words{}, 0.1, 0.9, r),
	}
}

func TestSearch(t *testing.T) {
	// A search is the same for the same seed, another for another, and stops at its error, when any strategy makes it.
	ctx := context.Background()
	for name := range strategies(rng.Stream(0, "")) {
		search := func(ctx context.Context, seed int64, estimate blackbox.Estimator[word]) ([]blackbox.Trial[word], error) {
			r := rng.Stream(seed, "test")
			return blackbox.Search(ctx, strategies(r)[name], estimate, 50, r)
		}
		t.Run(name, func(t *testing.T) {
			first, err := search(ctx, 1, count)
			if err != nil || len(first) != 50 {
				t.Fatalf("%d trials, error %v", len(first), err)
			}
			if again, err := search(ctx, 1, count); err != nil || !slices.Equal(first, again) {
				t.Errorf("the same seed gives other trials, error %v", err)
			}
			if other, err := search(ctx, 2, count); err != nil || slices.Equal(first, other) {
				t.Errorf("another seed gives the same trials, error %v", err)
			}

			// Known scores first, then new ones: the way to go on with an interrupted search.
			known := first[:20]
			resumed, err := search(ctx, 1, func(ctx context.Context, w word) (float64, error) {
				if len(known) == 0 {
					return count(ctx, w)
				}
				score := known[0].Score
				known = known[1:]
				return score, nil
			})
			if err != nil || !slices.Equal(first, resumed) {
				t.Errorf("the search that goes on gives other trials, error %v", err)
			}

			broken := errors.New("broken")
			calls := 0
			trials, err := search(ctx, 1, func(ctx context.Context, w word) (float64, error) {
				if calls++; calls == 8 {
					return 0, broken
				}
				return count(ctx, w)
			})
			if !errors.Is(err, broken) || !slices.Equal(trials, first[:7]) {
				t.Errorf("%d trials and error %v after the estimator's", len(trials), err)
			}
			cancelled, cancel := context.WithCancel(ctx)
			trials, err = search(cancelled, 1, func(ctx context.Context, w word) (float64, error) {
				cancel()
				return count(ctx, w)
			})
			if !errors.Is(err, context.Canceled) || len(trials) != 1 {
				t.Errorf("%d trials and error %v after a cancellation", len(trials), err)
			}
			_, err = search(ctx, 1, func(context.Context, word) (float64, error) { return math.NaN(), nil })
			if want := fmt.Sprintf("blackbox: query 1: the score of %v is not a number", first[0].Architecture); err == nil || err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
		})
	}
}

func TestEvolution(t *testing.T) {
	// The best of the tournament has a child and the oldest dies when the population is complete, however good that one is.
	r := rng.Stream(3, "test")
	s := blackbox.NewEvolution[word](words{}, 3, 50) // 50 draws of 3 leave none out
	for _, member := range []blackbox.Trial[word]{{Architecture: word{'a', 'a', 'a'}, Score: 9}, {Architecture: word{'b', 'b', 'b'}, Score: 5}, {Architecture: word{'c', 'c', 'c'}, Score: 7}} {
		s.Propose(r)
		s.Observe(member.Architecture, member.Score)
	}
	// The parents are a, then c: the best that is alive. Of the children, which then are all, the second.
	var children []word
	check := func(child, parent word) {
		t.Helper()
		different := 0
		for j := range child {
			if child[j] != parent[j] {
				different++
			}
		}
		if different != 1 {
			t.Errorf("child %d is %s, want one letter other than %s", len(children), child, parent)
		}
		children = append(children, child)
	}
	for i, parent := range []word{{'a', 'a', 'a'}, {'c', 'c', 'c'}, {'c', 'c', 'c'}} {
		child := s.Propose(r)
		check(child, parent)
		s.Observe(child, []float64{1, 3, 2}[i])
	}
	check(s.Propose(r), children[1])
	for _, sizes := range [][2]int{{0, 1}, {1, 0}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic with population %d and sample %d", sizes[0], sizes[1])
				}
			}()
			blackbox.NewEvolution[word](words{}, sizes[0], sizes[1])
		}()
	}
}

// marked are the numbers from 0 to 99, whose children are themselves.
type marked struct{}

func (marked) Sample(r *rand.Rand) int        { return r.IntN(100) }
func (marked) Mutate(n int, _ *rand.Rand) int { return n }

func TestTournament(t *testing.T) {
	// The best of ten is the parent as often as three draws with replacement meet it.
	r := rng.Stream(4, "test")
	s := blackbox.NewEvolution[int](marked{}, 10, 3)
	for i := range 10 {
		s.Observe(i, float64(i))
	}
	const draws = 10_000
	best := 0
	for range draws {
		if s.Propose(r) == 9 {
			best++
		}
	}
	p := 1 - math.Pow(0.9, 3)
	if got := float64(best) / draws; math.Abs(got-p) > 4*math.Sqrt(p*(1-p)/draws) {
		t.Errorf("it is the parent in %v of all draws, want %v", got, p)
	}
}

// twoCoins is a space of one decision with two options, whose logits a hand can follow.
type twoCoins struct{}

func (twoCoins) Options() []int                { return []int{2} }
func (twoCoins) Architecture(chosen []int) int { return chosen[0] }

func TestReinforceStep(t *testing.T) {
	// The logits move by the learning rate, away from the worse option, when a second score is below the first.
	r := rng.Stream(5, "test")
	s := blackbox.NewReinforce[int](twoCoins{}, 0.25, 0.5, r)
	logit := func() float64 { // difference of the two
		p := s.Probabilities()[0]
		return math.Log(p[1] / p[0])
	}
	start := logit()
	if math.Abs(start) > 0.01 {
		t.Errorf("logits differ by %v at the start", start)
	}
	s.Observe(s.Propose(r), 80)
	if got := logit(); math.Abs(got-start) > 1e-12 {
		t.Errorf("the first score, which is its own baseline, moves the logits by %v", got-start)
	}
	chosen := s.Propose(r)
	s.Observe(chosen, 40)
	// Adam's second step with gradients 0 and g: m = 0.1 g / (1-0.9²), v = 0.001 g² / (1-0.999²).
	want := 0.25 * (0.1 / 0.19) / math.Sqrt(0.001/0.001999) * 2 // both logits move
	if chosen == 1 {
		want = -want
	}
	if got := logit() - start; math.Abs(got-want) > 1e-6 {
		t.Errorf("after a worse score of option %d the logits move by %v, want %v", chosen, got, want)
	}
}

func TestReinforceLearns(t *testing.T) {
	// Every decision takes the rewarded option with a probability above 0.9 when 300 scores count it.
	r := rng.Stream(7, "test")
	s := blackbox.NewReinforce[word](words{}, 0.1, 0.9, r)
	if _, err := blackbox.Search(context.Background(), s, count, 300, r); err != nil {
		t.Fatal(err)
	}
	for i, p := range s.Probabilities() {
		sum := p[0] + p[1] + p[2] + p[3]
		if p[3] < 0.9 || math.Abs(sum-1) > 1e-12 {
			t.Errorf("decision %d: probabilities %v", i, p)
		}
	}
}

func ExampleSearch() {
	// The nearest whole number to 40.3, by evolution of one number.
	closeness := func(_ context.Context, n int) (float64, error) { return -math.Abs(float64(n) - 40.3), nil }
	r := rng.Stream(0, "example")
	trials, err := blackbox.Search(context.Background(), blackbox.NewEvolution[int](numbers{}, 10, 3), closeness, 200, r)
	if err != nil {
		fmt.Println(err)
		return
	}
	best := slices.MaxFunc(trials, func(a, b blackbox.Trial[int]) int { return int(math.Copysign(1, a.Score-b.Score)) })
	fmt.Println(best.Architecture)
	// Output: 40
}

// numbers are the whole numbers from 0 to 99.
type numbers struct{}

func (numbers) Sample(r *rand.Rand) int { return r.IntN(100) }

func (numbers) Mutate(n int, r *rand.Rand) int { return n + 2*r.IntN(2) - 1 }

func TestTrials(t *testing.T) {
	// Trials come in the order of the queries when a random search makes them.
	r := rng.Stream(9, "test")
	trials, err := blackbox.Search(context.Background(), blackbox.NewRandom[int](numbers{}), func(_ context.Context, n int) (float64, error) { return float64(n), nil }, 5, r)
	if err != nil {
		t.Fatal(err)
	}
	r = rng.Stream(9, "test")
	var want []blackbox.Trial[int]
	for range 5 {
		n := r.IntN(100)
		want = append(want, blackbox.Trial[int]{Architecture: n, Score: float64(n)})
	}
	if diff := cmp.Diff(want, trials); diff != "" {
		t.Error(diff)
	}
}

func TestReinforceWorst(t *testing.T) {
	// The policy learns from the least score so far when one is Worst, and nothing before there is another.
	make2 := func() *blackbox.Reinforce[int] {
		return blackbox.NewReinforce[int](twoCoins{}, 0.25, 0.5, rng.Stream(5, "test"))
	}
	s, twin := make2(), make2()
	observe := func(scores []float64, s *blackbox.Reinforce[int]) []float64 {
		r := rng.Stream(6, "test")
		for _, score := range scores {
			s.Observe(s.Propose(r), score)
		}
		return s.Probabilities()[0]
	}
	got := observe([]float64{80, 40, blackbox.Worst, 60, blackbox.Worst}, s)
	if want := observe([]float64{80, 40, 40, 60, 40}, twin); !slices.Equal(got, want) || math.IsNaN(got[0]) {
		t.Errorf("probabilities %v, want %v", got, want)
	}
	s = make2()
	before := slices.Clone(s.Probabilities()[0])
	if got := observe([]float64{blackbox.Worst, blackbox.Worst}, s); !slices.Equal(got, before) {
		t.Errorf("probabilities %v after nothing but failures, want %v", got, before)
	}
}

func TestWorstLoses(t *testing.T) {
	// A real score beats Worst in the tournament of an evolution, however low it is.
	r := rng.Stream(3, "test")
	s := blackbox.NewEvolution[word](words{}, 2, 50)
	for _, member := range []blackbox.Trial[word]{{Architecture: word{'a', 'a', 'a'}, Score: blackbox.Worst}, {Architecture: word{'b', 'b', 'b'}, Score: 0}} {
		s.Propose(r)
		s.Observe(member.Architecture, member.Score)
	}
	if child := s.Propose(r); !slices.Contains(child[:], 'b') || slices.Contains(child[:1], 'a') && slices.Contains(child[1:2], 'a') {
		t.Errorf("the child %s is not of the parent bbb", child)
	}
}
