"""Every setting of regsys, with its default.

Copy this file, uncomment what you change, and name the copy in REGSYS_CONFIG. Each setting can also be given in
the environment with REGSYS_ before its name, and the environment wins. `regsys check` tells what is missing.
"""

# ---- The place ----

# Folder for the SQLite file, backups and locks.
# DATA_DIR = "data"  # path

# Play money, mail kept in the data folder, a clock that can be shifted.
# SANDBOX = False  # True or False

# ---- Secrets and addresses ----

# Signs cookies; at least 32 random characters.
# SECRET_KEY = ""  # text

# Fernet keys for sensitive answers, newest first, comma-separated.
# FIELD_KEYS = ()  # texts

# The public address of the site, without a slash at the end.
# BASE_URL = "http://127.0.0.1:5000"  # text

# How many proxies stand before the server and set X-Forwarded-* headers.
# TRUSTED_PROXIES = 0  # whole number

# SQLAlchemy URL; empty means regsys.sqlite in the data folder.
# DATABASE_URL = ""  # text

# ---- Payments ----

# Stripe's secret or restricted key (sk_ or rk_).
# STRIPE_SECRET_KEY = ""  # text

# Accepted and unused: payment happens on Stripe's page.
# STRIPE_PUBLISHABLE_KEY = None  # text or None

# Signing secrets of the webhook endpoint, comma-separated.
# STRIPE_WEBHOOK_SECRET = ()  # texts

# Payments that take days: us_bank_account, sepa_debit, comma-separated; none is by card only.
# STRIPE_DELAYED_METHODS = ()  # texts

# Address of the stand-in Stripe; sandbox mode only.
# STRIPE_API_BASE = None  # text or None

# ---- Mail ----

# Name of the SMTP server.
# MAIL_SERVER = "localhost"  # text

# Port of the SMTP server.
# MAIL_PORT = 25  # whole number

# Use STARTTLS; the certificate is verified.
# MAIL_USE_TLS = False  # True or False

# Use TLS from the first byte; the certificate is verified.
# MAIL_USE_SSL = False  # True or False

# User name at the SMTP server.
# MAIL_USERNAME = None  # text or None

# Password at the SMTP server.
# MAIL_PASSWORD = None  # text or None

# Address from which letters come.
# MAIL_DEFAULT_SENDER = ""  # text

# File with the authority that signed the SMTP server's certificate.
# MAIL_CA_FILE = None  # text or None

# ---- The society ----

# Name of the society, as it stands on pages and letters.
# ORGANISATION_NAME = "Balint Circle"  # text

# One line under the name.
# ORGANISATION_TAGLINE = ""  # text

# File (SVG or PNG) shown in place of the ring.
# ORGANISATION_LOGO = None  # text or None

# Address to which people write; replies to letters go there.
# ORGANISATION_EMAIL = ""  # text

# Postal address for receipts and invoices; lines are parted by \n.
# ORGANISATION_ADDRESS = ""  # text

# Tax number or registration, one line at the foot of receipts and invoices.
# ORGANISATION_REGISTRATION = ""  # text

# One more line at the foot of receipts and invoices.
# DOCUMENT_FOOTER = ""  # text

# How to pay an invoice by bank transfer: account and bank, lines parted by \n.
# BANK_DETAILS = ""  # text

# How to pay an invoice by cheque: to whom and where to, lines parted by \n.
# CHEQUE_DETAILS = ""  # text

# IANA zone of the society.
# TIME_ZONE = "America/Los_Angeles"  # text

# ISO 4217 code for new events.
# CURRENCY = "USD"  # text

# ---- Registration ----

# Minutes for which places in a cart are held.
# HOLD_MINUTES = 30  # whole number

# ---- Processes ----

# Web server processes.
# WEB_WORKERS = 2  # whole number

# Threads in each web server process.
# WEB_THREADS = 4  # whole number

# DEBUG, INFO, WARNING or ERROR.
# LOG_LEVEL = "INFO"  # text
