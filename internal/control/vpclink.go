package control

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"

	"penstock/internal/model"
)

var vpcLinks = collection[model.VpcLink, model.VpcLinkDocument]{
	kind:     "VpcLink",
	root:     vpcLinkRoot,
	own:      func(d *model.VpcLinkDocument) *model.VpcLink { return &d.VpcLink },
	name:     func(l *model.VpcLink) **string { return &l.VpcLinkID },
	length:   6,
	quota:    func(l Limits) int { return l.VpcLinks },
	defaults: defaultVpcLink,
	check:    checkVpcLink,
	inUse:    vpcLinkInUse,
	answer:   answerVpcLink,
}

type vpcLinkChange = change[model.VpcLink, model.VpcLinkDocument]

func defaultVpcLink(x *vpcLinkChange) {
	l := x.item
	if x.old != nil {
		return
	}
	l.CreatedDate = x.now()
	l.VpcLinkVersion = new(model.VpcLinkVersionV2)
	l.VpcLinkStatus = new(model.VpcLinkStatusAvailable)
	l.VpcLinkStatusMessage = new(msgVpcLinkReady)
}

func checkVpcLink(x *vpcLinkChange) error {
	l := x.item
	switch {
	case len(l.SubnetIDs) == 0 || slices.Contains(l.SubnetIDs, ""):
		return BadRequest(msgSubnets)
	case len(l.SubnetIDs) > x.Limits.Subnets:
		return BadRequest(msgSubnetCount, x.Limits.Subnets)
	case len(l.SecurityGroupIDs) > x.Limits.SecurityGroups:
		return BadRequest(msgSecurityGroupCount, x.Limits.SecurityGroups)
	}
	return checkTags(l.Tags, x.Limits)
}

// answerVpcLink returns a VPC link as it is answered: to who creates it as one that
// will be available, which clients wait for, and then as one that is.
func answerVpcLink(c *call, l *model.VpcLink) any {
	if _, created := c.input.(*model.CreateVpcLinkRequest); !created {
		return l
	}
	pending := *l
	pending.VpcLinkStatus = new(model.VpcLinkStatusPending)
	pending.VpcLinkStatusMessage = new(msgVpcLinkPending)
	return &pending
}

// vpcLinkInUse refuses to delete a VPC link that an integration calls through.
func vpcLinkInUse(x *vpcLinkChange) error {
	id := *x.item.VpcLinkID
	var users []string
	for _, stored := range x.Store.List(model.APIPrefix) {
		if !bytes.Contains(stored.Data, []byte(`"connectionId":`+strconv.Quote(id))) {
			continue
		}
		d, err := decodedAs(x.Server, stored, model.ParseAPI)
		if err != nil {
			return err
		}
		for _, integrationID := range slices.Sorted(maps.Keys(d.Integrations)) {
			if val(d.Integrations[integrationID].ConnectionID) == id {
				users = append(users, integrationID)
			}
		}
	}
	if len(users) > 0 {
		return BadRequest(msgVpcLinkInUse, id, strings.Join(users, ", "))
	}
	return nil
}
