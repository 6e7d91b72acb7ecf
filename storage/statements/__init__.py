"""The SQL, each statement written once in what SQLite and PostgreSQL both accept, by area.

A method is a generator: it yields a `Statement`, is sent the rows, and returns records. DO name every column and
bind every value; DON'T await, commit, or decide anything that a rule should decide.
"""

from storage.statements.addresses import AddressStatements
from storage.statements.blacklist import BlacklistStatements
from storage.statements.bulk import BulkStatements
from storage.statements.customers import CustomerStatements
from storage.statements.history import HistoryStatements
from storage.statements.ledger import LedgerStatements
from storage.statements.licenses import LicenseStatements
from storage.statements.organizations import OrganizationStatements
from storage.statements.products import ProductStatements
from storage.statements.search import SearchStatements
from storage.statements.seats import Renewed, SeatStatements
from storage.statements.seen import SeenStatements
from storage.statements.signing_keys import SigningKeyStatements
from storage.statements.staff import StaffStatements
from storage.statements.touched import TouchedStatements
from storage.statements.transfers import TransferStatements
from storage.statements.versions import VersionStatements


class StatementTransaction:
    """All the statements of one transaction, and which licenses it touched without an event to say so.

    Of those that it `renewed` it knows how they are now.
    """

    def __init__(self) -> None:
        self.touched_licenses: set[int] = set()
        self.renewed_licenses: dict[int, Renewed] = {}
        self.organizations = OrganizationStatements()
        self.products = ProductStatements()
        self.versions = VersionStatements()
        self.blacklist = BlacklistStatements()
        self.signing_keys = SigningKeyStatements()
        self.history = HistoryStatements()
        self.customers = CustomerStatements()
        self.addresses = AddressStatements(self.touched_licenses)
        self.seats = SeatStatements(self.touched_licenses, self.renewed_licenses)
        self.seen = SeenStatements()
        self.touched = TouchedStatements()
        self.licenses = LicenseStatements(self.touched_licenses, self.addresses)
        self.search = SearchStatements()
        self.bulk = BulkStatements()
        self.transfers = TransferStatements(self.licenses, self.customers)
        self.staff = StaffStatements()
        self.ledger = LedgerStatements()
