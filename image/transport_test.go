package image

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestNobodyLeadsUsToAMachinesCredentials(t *testing.T) {
	evil := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	defer evil.Close()
	c := http.Client{Transport: Transport()}
	for _, url := range []string{evil.URL, "http://169.254.169.254/", "http://[::ffff:169.254.169.254]/", "http://[fe80::1]/",
		"http://[fd00:ec2::254]/"} {
		resp, err := c.Get(url)
		if err == nil {
			resp.Body.Close()
		}
		if !errors.Is(err, errLinkLocal) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
