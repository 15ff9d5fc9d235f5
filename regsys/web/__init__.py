"""What every page needs: error map, guard, forms, security headers, filters."""
