package download

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// download completes the file part.
func (a Archive) download(ctx context.Context, part string, progress func(done, total int64)) error {
	out, err := openPart(part, os.O_CREATE|os.O_WRONLY)
	if err != nil {
		return err
	}
	defer out.Close()
	have, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	ctx, alive, stop := watched(ctx, cmp.Or(a.stall, longestSilence))
	defer stop()
	body, have, total, err := a.request(ctx, have)
	if err != nil || body == nil {
		return cmp.Or(silence(ctx), err)
	}
	defer body.Close()
	if total > mostBytes {
		return fmt.Errorf("%s: the server announces %d bytes, the archive has at most %d", a.URL, total, int64(mostBytes))
	}
	// A server without ranges sends all again.
	if err := out.Truncate(have); err != nil {
		return err
	}
	if _, err := out.Seek(have, io.SeekStart); err != nil {
		return err
	}
	counted := &counter{w: out, done: have, total: total, progress: progress, alive: alive}
	most := int64(mostBytes)
	if total >= 0 {
		most = total
	}
	if _, err := io.Copy(counted, io.LimitReader(body, most-have+1)); err != nil {
		return fmt.Errorf("%s: stopped after %d bytes, the next call goes on from there: %w", a.URL, counted.done, cmp.Or(silence(ctx), err))
	}
	if counted.done > most {
		return errors.Join(fmt.Errorf("%s: the server sends more than %d bytes: removed %s", a.URL, most, part), os.Remove(part))
	}
	if err := out.Sync(); err != nil {
		return err
	}
	return out.Close()
}

// errSilent ends a download whose server sends nothing.
type errSilent time.Duration

func (e errSilent) Error() string {
	return fmt.Sprintf("the server sent nothing for %v", time.Duration(e))
}

// silence returns the error by which watched ended ctx, nil if it did not.
func silence(ctx context.Context) error {
	var silent errSilent
	if errors.As(context.Cause(ctx), &silent) {
		return silent
	}
	return nil
}

// watched returns a context that ends when nobody calls alive for that time.
func watched(ctx context.Context, longest time.Duration) (watch context.Context, alive, stop func()) {
	watch, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(longest, func() { cancel(errSilent(longest)) })
	return watch, func() { timer.Reset(longest) }, func() { timer.Stop(); cancel(nil) }
}

// request asks for the archive from byte have on. It returns the body, the byte
// it starts from, and the length of the whole archive, -1 if that is unknown. A nil body
// without an error means that nothing is left to send.
func (a Archive) request(ctx context.Context, have int64) (body io.ReadCloser, from, total int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL, nil)
	if err != nil {
		return nil, 0, 0, err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, 0, 0, err
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		return resp.Body, 0, resp.ContentLength, nil
	case resp.StatusCode == http.StatusPartialContent && have > 0:
		var last int64
		// The total is "*" where the server does not know it.
		n, _ := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &last, &total)
		if n < 3 {
			total = -1
		}
		if n >= 2 && from == have {
			return resp.Body, from, total, nil
		}
		err = fmt.Errorf("%s: asked for bytes from %d on, got %q", a.URL, have, resp.Header.Get("Content-Range"))
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0:
		// The part is whole, or too long, which its MD5 will tell.
	default:
		err = fmt.Errorf("%s: the server answers %s", a.URL, resp.Status)
	}
	resp.Body.Close()
	return nil, 0, 0, err
}

// counter reports how many bytes have been written through it.
type counter struct {
	w           io.Writer
	done, total int64
	progress    func(done, total int64)
	alive       func()
}

func (c *counter) Write(p []byte) (int, error) {
	c.alive()
	n, err := c.w.Write(p)
	c.done += int64(n)
	if c.progress != nil {
		c.progress(c.done, c.total)
	}
	return n, err
}
