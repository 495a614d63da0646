package gateway

// A Domain is a custom domain name as it is served.
type Domain struct {
	// Name is in lower case. "*.example.com" stands for all names with one more label.
	Name string
}
