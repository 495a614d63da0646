#!/usr/bin/env bash
# What somebody types who tries Penstock with the AWS CLI in a shell. The
# arguments are the address of the control plane and the upstream to call. It
# prints what the upstream answered, through the endpoint the API says it has.
set -euo pipefail
endpoint=$1 upstream=$2

v2() { /usr/bin/aws apigatewayv2 "$@" --endpoint-url "$endpoint" --output text; }

api=$(v2 create-api --name pets --protocol-type HTTP --tags team=pets,env=dev \
	--cors-configuration AllowOrigins=https://example.com,AllowMethods=GET,MaxAge=60 --query ApiId)
integration=$(v2 create-integration --api-id "$api" --integration-type HTTP_PROXY --integration-method GET \
	--integration-uri "$upstream/pets/{id}" --payload-format-version 1.0 --query IntegrationId)
v2 create-route --api-id "$api" --route-key 'GET /pets/{id}' --target "integrations/$integration" >/dev/null
v2 create-stage --api-id "$api" --stage-name '$default' --auto-deploy --stage-variables color=blue >/dev/null
curl --silent --show-error --fail --noproxy '*' "$(v2 get-api --api-id "$api" --query ApiEndpoint)/pets/7"
v2 delete-api --api-id "$api"
