sed 's/$/\r/' field-misspelt.yaml
