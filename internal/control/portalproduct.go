package control

import (
	"encoding/json"
	"slices"
	"strings"

	"penstock/internal/model"
)

var portalProducts = collection[model.GetPortalProductResponse, model.PortalProductDocument]{
	kind: "PortalProduct",
	root: portalProductRoot,
	own: func(d *model.PortalProductDocument) *model.GetPortalProductResponse {
		return &d.Product
	},
	name:     func(p *model.GetPortalProductResponse) **string { return &p.PortalProductID },
	length:   10,
	quota:    func(l Limits) int { return l.PortalProducts },
	defaults: defaultPortalProduct,
	check:    checkPortalProduct,
	inUse:    portalProductInUse,
	summary:  summarizePortalProduct,
}

type portalProductChange = change[model.GetPortalProductResponse, model.PortalProductDocument]

func defaultPortalProduct(x *portalProductChange) {
	p := x.item
	if x.old == nil {
		p.PortalProductARN = new(x.accountARN(portalProductPath + *p.PortalProductID))
	}
	p.LastModified = x.now()
}

// checkPortalProduct checks that a product shows pages that it has.
func checkPortalProduct(x *portalProductChange) error {
	if order := x.item.DisplayOrder; order != nil {
		pages, endpoints := map[string]bool{}, map[string]bool{}
		for _, page := range x.doc.Pages {
			pages[*page.ProductPageARN] = true
		}
		for _, page := range x.doc.EndpointPages {
			endpoints[*page.ProductRestEndpointPageARN] = true
		}
		if overview := val(order.OverviewPageARN); overview != "" && !pages[overview] {
			return BadRequest(msgDisplayOrder, overview)
		}
		for _, arn := range order.ProductPageARNs {
			if !pages[arn] {
				return BadRequest(msgDisplayOrder, arn)
			}
		}
		for _, section := range order.Contents {
			for _, arn := range section.ProductRestEndpointPageARNs {
				if !endpoints[arn] {
					return BadRequest(msgDisplayOrder, arn)
				}
			}
		}
	}
	return checkTags(x.item.Tags, x.Limits)
}

// portalProductInUse refuses to delete a product that a published portal shows.
func portalProductInUse(x *portalProductChange) error {
	for _, stored := range x.Store.List(model.PortalPrefix) {
		x.expect[stored.Key] = stored.Rev // see rely
		d, err := decodedAs(x.Server, stored, model.ParsePortal)
		if err != nil {
			return err
		}
		if slices.Contains(d.Published, *x.item.PortalProductARN) {
			return BadRequest(msgProductPublished, *x.item.PortalProductID, *d.Portal.PortalID)
		}
	}
	return nil
}

func summarizePortalProduct(_ *call, p *model.GetPortalProductResponse) any {
	summary := &model.PortalProductSummary{
		Description:      p.Description,
		DisplayName:      p.DisplayName,
		LastModified:     p.LastModified,
		PortalProductARN: p.PortalProductARN,
		PortalProductID:  p.PortalProductID,
		Tags:             p.Tags,
	}
	setDefault(&summary.Description, "") // clients rely on it
	return summary
}

const portalProductPath = "/portalproducts/"

// portalProductKey returns the key of the product with an ARN. It is no key of
// anything if the product is another account's.
func (s *Server) portalProductKey(arn string) string {
	id, ok := strings.CutPrefix(arn, s.accountARN(portalProductPath))
	if !ok || !isID(id) {
		return ""
	}
	return model.PortalProductKey(id)
}

// Whose products are listed.
const (
	ownProducts    = "SELF"
	sharedProducts = "OTHER_ACCOUNTS"
)

// listPortalProducts answers the products of the account. Other accounts share none:
// there is one.
func listPortalProducts(c *call) (any, error) {
	switch owner := c.query.Get("resourceOwner"); owner {
	case "", ownProducts:
		return portalProducts.listDocuments(c)
	case sharedProducts:
		return page(c, nil, nil)
	default:
		return nil, BadRequest(msgProblems+msgEnum, "resourceOwner", ownProducts+", "+sharedProducts)
	}
}

// Sharing policies say which accounts may show a product in their portals.

func putSharingPolicy(c *call) (any, error) {
	if _, err := portalProductRoot.begin(c); err != nil {
		return nil, err
	}
	policy := c.input.(*model.PutPortalProductSharingPolicyRequest).PolicyDocument
	var document map[string]json.RawMessage
	if json.Unmarshal([]byte(*policy), &document) != nil || document["Statement"] == nil {
		return nil, BadRequest(msgSharingPolicy)
	}
	return nil, portalProductRoot.edit(c, func(_ *edit, d *model.PortalProductDocument) error {
		d.SharingPolicy = policy
		return nil
	})
}

func getSharingPolicy(c *call) (any, error) {
	d, err := portalProductRoot.read(c)
	if err != nil {
		return nil, err
	}
	if d.SharingPolicy == nil {
		return nil, notFound(msgSharingPolicyAbsent, *d.Product.PortalProductID)
	}
	return &model.GetPortalProductSharingPolicyResponse{PolicyDocument: d.SharingPolicy, PortalProductID: d.Product.PortalProductID}, nil
}

func deleteSharingPolicy(c *call) (any, error) {
	return nil, portalProductRoot.edit(c, func(_ *edit, d *model.PortalProductDocument) error {
		if d.SharingPolicy == nil {
			return notFound(msgSharingPolicyAbsent, *d.Product.PortalProductID)
		}
		d.SharingPolicy = nil
		return nil
	})
}
