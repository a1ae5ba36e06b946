package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// Time limits of a download. A connection that is not there in time means that
// the next source is tried.
const (
	connectTimeout = 5 * time.Second
	headerTimeout  = 20 * time.Second
	stallTimeout   = 30 * time.Second // without a byte
)

// maxDownload bounds what is written to disk.
const maxDownload = 2 << 30

// httpClient follows the proxy variables of the environment.
func httpClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout:   connectTimeout,
		ResponseHeaderTimeout: headerTimeout,
		DisableCompression:    true, // sizes and ranges are those of the file
	}}
}

// download writes what url gives to part, and goes on behind what is there
// when the server can.
func download(ctx context.Context, url, part string, tell func(done, total int64)) error {
	var have int64
	if st, err := os.Stat(part); err == nil {
		have = st.Size()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client := httpClient()
	defer client.CloseIdleConnections()
	resp, err := request(ctx, client, url, have)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0:
		return nil // there is nothing behind what is here
	case resp.StatusCode == http.StatusOK:
		have = 0
	case resp.StatusCode == http.StatusNotFound:
		return fmt.Errorf("the server answered %s: %w", resp.Status, errAbsent)
	case resp.StatusCode != http.StatusPartialContent:
		return fmt.Errorf("the server answered %s", resp.Status)
	}
	body := &meter{r: resp.Body, done: have, total: have + max(0, resp.ContentLength), tell: tell,
		stall: time.AfterFunc(stallTimeout, cancel)}
	defer body.stall.Stop()
	if err := writeFrom(part, have, io.LimitReader(body, maxDownload)); err != nil {
		return fmt.Errorf("the connection broke after %d bytes (the next try goes on there): %w", body.done, err)
	}
	return nil
}

// writeFrom writes r to the file at path, from offset on.
func writeFrom(path string, offset int64, r io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(offset), seek(f, offset)); err != nil {
		return errors.Join(err, f.Close())
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

func seek(f *os.File, to int64) error {
	_, err := f.Seek(to, io.SeekStart)
	return err
}

func request(ctx context.Context, client *http.Client, url string, have int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	return client.Do(req)
}

// meter counts what is read and winds up the stall timer.
type meter struct {
	r           io.Reader
	done, total int64
	tell        func(done, total int64)
	stall       *time.Timer
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.done += int64(n)
	m.stall.Reset(stallTimeout)
	m.tell(m.done, m.total)
	return n, err
}
