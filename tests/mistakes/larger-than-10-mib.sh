cat field-misspelt.yaml; head -c 10485760 /dev/zero | tr '\0' '#'
