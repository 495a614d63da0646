package control

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"penstock/internal/model"
	"penstock/internal/store"
)

const deploymentIDLength = 6

// A deploymentHead is the part of a deployment document that is answered. What
// was deployed is read only by who serves it.
type deploymentHead struct {
	Deployment model.Deployment `json:"deployment"`
}

func parseDeploymentHead(data []byte) (*deploymentHead, error) {
	h := new(deploymentHead)
	if err := json.Unmarshal(data, h); err != nil {
		return nil, fmt.Errorf("read deployment: %w", err)
	}
	return h, nil
}

// deployment returns the stored document of a deployment.
func (c *call) deployment(apiID, deploymentID string) (store.Document, bool) {
	if !isID(deploymentID) {
		return store.Document{}, false
	}
	return c.Store.Get(model.DeploymentKey(apiID, deploymentID))
}

// deploy puts a copy of what stands under an API into the edit and returns its
// description.
//
// The creation dates of the deployments of an API increase by a millisecond or
// more and are shown with milliseconds, which every client reads: two deployments
// can be told apart by their dates, as clients do, and no date is ahead of the
// clock for longer than deployments come faster than one each millisecond.
func (e *edit) deploy(d *model.APIDocument, description *string, auto bool) (*model.Deployment, error) {
	apiID := *d.API.APIID
	created := e.time.Truncate(time.Millisecond)
	if !created.After(d.LastDeployment) {
		created = d.LastDeployment.Add(time.Millisecond)
	}
	d.LastDeployment = created
	id := unusedID(deploymentIDLength, func(id string) bool {
		_, used := e.Store.Get(model.DeploymentKey(apiID, id))
		return used
	})
	document := &model.DeploymentDocument{
		Deployment: model.Deployment{
			AutoDeployed:     &auto,
			CreatedDate:      &created,
			DeploymentID:     &id,
			DeploymentStatus: new(model.DeploymentStatusDeployed),
			Description:      description,
		},
		API:       d.API,
		Resources: d.Resources,
	}
	deploymentShape.Settle(&document.Deployment)
	data, err := document.Encode()
	if err != nil {
		return nil, err
	}
	return &document.Deployment, e.create(model.DeploymentKey(apiID, id), data)
}

var deploymentShape = model.FindOperation("GetDeployment").Output

// deployAutomatically deploys an API to the stages that follow every change. If
// there is nothing to deploy, they keep what they have and say so.
func (e *edit) deployAutomatically(d *model.APIDocument) error {
	var following []*model.Stage
	for _, s := range d.Stages {
		if val(s.AutoDeploy) {
			following = append(following, s)
		}
	}
	if len(following) == 0 {
		return nil
	}
	valid := false // a route without a target serves nothing
	for _, r := range d.Routes {
		valid = valid || r.Target != nil
	}
	if !valid {
		for _, s := range following {
			s.LastDeploymentStatusMessage = new(fmt.Sprintf(msgDeploymentFailed, noRoutes(d)))
		}
		return nil
	}
	deployment, err := e.deploy(d, new(msgAutomaticDescription), true)
	if err != nil {
		return err
	}
	for _, s := range following {
		s.DeploymentID = deployment.DeploymentID
		s.LastDeploymentStatusMessage = new(fmt.Sprintf(msgDeployed, *deployment.DeploymentID))
		s.LastUpdatedDate = e.now()
	}
	d.AutomaticDeployments = append(d.AutomaticDeployments, *deployment.DeploymentID)
	e.dropDeployments(d)
	return nil
}

func noRoutes(d *model.APIDocument) string {
	if isWebSocket(d) {
		return msgNoRoutesWebSocket
	}
	return msgNoRoutesHTTP
}

// dropDeployments deletes the oldest automatic deployments that no stage uses, so
// that an API that is edited for years does not grow.
func (e *edit) dropDeployments(d *model.APIDocument) {
	excess := len(d.AutomaticDeployments) - e.Limits.AutomaticDeployments
	d.AutomaticDeployments = slices.DeleteFunc(d.AutomaticDeployments, func(id string) bool {
		drop := excess > 0 && !deployed(d, id)
		if drop {
			excess--
			e.delete(model.DeploymentKey(*d.API.APIID, id))
		}
		return drop
	})
}

// deployed reports whether a stage uses a deployment.
func deployed(d *model.APIDocument, deploymentID string) bool {
	for _, s := range d.Stages {
		if val(s.DeploymentID) == deploymentID {
			return true
		}
	}
	return false
}

func createDeployment(c *call) (any, error) {
	if _, err := apiRoot.begin(c); err != nil {
		return nil, err
	}
	in := c.input.(*model.CreateDeploymentRequest)
	var out *model.Deployment
	err := apiRoot.edit(c, func(e *edit, d *model.APIDocument) (err error) {
		var stage *model.Stage
		if in.StageName != nil {
			if stage = d.Stages[*in.StageName]; stage == nil {
				return NotFound("Stage", *in.StageName)
			}
			if val(stage.AutoDeploy) {
				return BadRequest(msgAutoDeployStage, *in.StageName)
			}
		}
		if len(d.Routes) == 0 {
			return BadRequest("%s", noRoutes(d))
		}
		if out, err = e.deploy(d, in.Description, false); err != nil {
			return err
		}
		if stage != nil {
			stage.DeploymentID = out.DeploymentID
			stage.LastUpdatedDate = c.now()
		}
		return nil
	})
	return out, err
}

// storedDeployment returns the document of the deployment in the path of a call.
func storedDeployment(c *call) (store.Document, error) {
	stored, ok := c.deployment(c.labels["apiId"], c.labels["deploymentId"])
	if !ok {
		return stored, NotFound("Deployment", c.labels["deploymentId"])
	}
	return stored, nil
}

func getDeployment(c *call) (any, error) {
	if _, err := apiRoot.read(c); err != nil {
		return nil, err
	}
	stored, err := storedDeployment(c)
	if err != nil {
		return nil, err
	}
	head, err := decodedAs(c.Server, stored, parseDeploymentHead)
	if err != nil {
		return nil, err
	}
	return &head.Deployment, nil
}

func getDeployments(c *call) (any, error) {
	if _, err := apiRoot.read(c); err != nil {
		return nil, err
	}
	stored := c.Store.List(model.DeploymentsOf(c.labels["apiId"]))
	return page(c, storedKeys(stored), func(i int) ([]byte, error) {
		head, err := decodedAs(c.Server, stored[i], parseDeploymentHead)
		if err != nil {
			return nil, err
		}
		return encode(&head.Deployment)
	})
}

func updateDeployment(c *call) (any, error) {
	if _, err := apiRoot.begin(c); err != nil {
		return nil, err
	}
	var out *model.Deployment
	err := apiRoot.edit(c, func(e *edit, _ *model.APIDocument) error {
		stored, err := storedDeployment(c)
		if err != nil {
			return err
		}
		document, err := model.ParseDeployment(stored.Data)
		if err != nil {
			return err
		}
		out = &document.Deployment
		c.op.Apply(out, c.input)
		deploymentShape.Settle(out)
		data, err := document.Encode()
		if err != nil {
			return err
		}
		return e.replace(stored, data)
	})
	return out, err
}

func deleteDeployment(c *call) (any, error) {
	return nil, apiRoot.edit(c, func(e *edit, d *model.APIDocument) error {
		stored, err := storedDeployment(c)
		if err != nil {
			return err
		}
		id := c.labels["deploymentId"]
		if deployed(d, id) {
			return BadRequest(msgDeploymentInUse)
		}
		d.AutomaticDeployments = slices.DeleteFunc(d.AutomaticDeployments, func(other string) bool { return other == id })
		e.expect[stored.Key] = stored.Rev
		e.delete(stored.Key)
		return nil
	})
}
