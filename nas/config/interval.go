package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// interval is the range a number must lie in.
type interval struct {
	low, high         float64 // high is +Inf where there is no bound
	lowOpen, highOpen bool    // the end itself is excluded
}

// parseInterval reads a range tag such as "[0,1)" or "(0,)"; nil for an empty tag.
func parseInterval(tag string) (*interval, error) {
	if tag == "" {
		return nil, nil
	}
	last := len(tag) - 1
	if !strings.ContainsRune("[(", rune(tag[0])) || !strings.ContainsRune("])", rune(tag[last])) {
		return nil, fmt.Errorf("tag range %q: want an interval such as [0,1)", tag)
	}
	low, high, _ := strings.Cut(tag[1:last], ",")
	i := &interval{high: math.Inf(1), lowOpen: tag[0] == '(', highOpen: tag[last] == ')'}
	var err error
	if i.low, err = strconv.ParseFloat(low, 64); err == nil && high != "" {
		i.high, err = strconv.ParseFloat(high, 64)
	}
	if err != nil {
		return nil, fmt.Errorf("tag range %q: %w", tag, err)
	}
	return i, nil
}

func (i *interval) contains(x float64) bool {
	return (x > i.low || x == i.low && !i.lowOpen) && (x < i.high || x == i.high && !i.highOpen)
}

func (i *interval) String() string {
	switch {
	case math.IsInf(i.high, 1) && i.lowOpen:
		return fmt.Sprintf("more than %v", i.low)
	case math.IsInf(i.high, 1):
		return fmt.Sprintf("%v or more", i.low)
	}
	left, right := "[", "]"
	if i.lowOpen {
		left = "("
	}
	if i.highOpen {
		right = ")"
	}
	return fmt.Sprintf("%s%v, %v%s", left, i.low, i.high, right)
}
