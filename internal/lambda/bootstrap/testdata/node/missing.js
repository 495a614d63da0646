require('left-pad-of-nobody');
