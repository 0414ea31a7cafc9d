{ cat field-misspelt.yaml; head -c 30000000 /dev/zero | tr '\0' '#'; } | gzip -n
