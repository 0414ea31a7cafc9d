sed 's/discovery:/discovery: # größe → 日本/; s/apiserverEndpoint: .*/apiServerEndpoint: höst/' field-misspelt.yaml
