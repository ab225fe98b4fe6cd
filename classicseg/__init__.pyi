from . import bridge as bridge
from . import compare as compare
from . import datasets as datasets
from . import densecrf as densecrf
from . import grabcut as grabcut
from . import graphcut as graphcut
from . import gridcrf as gridcrf
from . import io as io
from . import metrics as metrics
from . import saliency as saliency
from . import samples as samples
from . import semantic as semantic
from . import superpixels as superpixels
from . import unary as unary
from . import viz as viz

__version__: str
