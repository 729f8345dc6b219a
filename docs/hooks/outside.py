"""The pages of the site that are no files of docs/, and the links to what is outside docs/.

On a page of the repository such a link leads to the file. The site has the README, its like and the examples as pages.
Where it has none the link becomes its text, since no address of the repository is known to lead to.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent.parent
PAGES = {
    'index.md': 'README.md',
    'changelog.md': 'CHANGELOG.md',
    'contributing.md': 'CONTRIBUTING.md',
    'security.md': 'SECURITY.md',
}
LINK = re.compile(
    r'^```.*?^```'  # code stays as it is
    r'|\[(?P<text>[^\[\]]*)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)'
    r'|(?P<attribute>src|srcset|href)="(?P<value>[^"#]+)"',
    re.MULTILINE | re.DOTALL,
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for uri, name in PAGES.items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / name)))
    for path in sorted((ROOT / 'examples').glob('*.py')):
        page = f'# {path.name}\n\n```python\n{path.read_text()}```\n'
        files.append(File.generated(config, example_uri(path), content=page, inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def example_uri(path: Path) -> str:
    return f'examples/{path.stem}.md'


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    if page.file.src_uri.startswith('examples/'):
        return markdown  # code alone
    name = PAGES.get(page.file.src_uri)
    folder = ROOT if name else (Path(config.docs_dir) / page.file.src_uri).parent
    return LINK.sub(lambda link: rewritten(link, folder, page, files), markdown)


def rewritten(link: 're.Match[str]', folder: Path, page: Page, files: Files) -> str:
    """A link as it is on the site."""
    target = link['target'] or link['value']
    path = Path(posixpath.normpath(folder / target)) if target else None
    if path is None or ':' in target or not path.exists():
        return link[0]  # code, an address, or a mistake that mkdocs finds
    file = files.get_file_from_path(uri_of(path))
    if link['attribute']:
        return link[0] if file is None else f'{link["attribute"]}="{file.url_relative_to(page.file)}"'
    if file is None:
        return str(link['text'])
    relative = posixpath.relpath(file.src_uri, posixpath.dirname(page.file.src_uri))
    return f'[{link["text"]}]({relative}{link["anchor"] or ""})'


def uri_of(path: Path) -> str:
    """What the site calls a file of the repository, if it has it."""
    inside = path.relative_to(ROOT).as_posix()
    included = {name: uri for uri, name in PAGES.items()}
    if path.parent == ROOT / 'examples':
        return example_uri(path)
    return included.get(inside) or inside.removeprefix('docs/')
