package bench

import (
	"time"

	"godarts/nas/report"
	"godarts/torch"
)

// probe measures for a fraction of a second what the processor reaches where little else is in the way, with so many
// threads: arithmetic by products of matrices of float32, 1024x1024, and memory by adding one vector of 128 MB to
// another, which reads two numbers and writes one. It is the best of a few tries each.
func probe(threads int) (p report.Peak, err error) {
	const side, length = 1024, 32 << 20
	err = torch.Do(func() error {
		defer torch.SetThreads(torch.Threads())
		torch.SetThreads(threads)
		a, b, c := torch.Ones([]int{side, side}, torch.Options{}), torch.Ones([]int{side, side}, torch.Options{}), torch.Zeros([]int{side, side}, torch.Options{})
		p.GFLOPS = 2 * side * side * side / 1e9 / best(10, func() { c.Addmm_(a, b, 1, 1) })
		x, y := torch.Ones([]int{length}, torch.Options{}), torch.Ones([]int{length}, torch.Options{})
		p.GBPerSecond = 3 * 4 * length / 1e9 / best(4, func() { y.Add_(x) })
		return nil
	})
	return p, err
}

// best runs f some times and returns the least time, in seconds.
func best(tries int, f func()) float64 {
	least := time.Duration(1<<63 - 1)
	for range tries {
		began := time.Now()
		torch.Scoped(f)
		least = min(least, time.Since(began))
	}
	return least.Seconds()
}
