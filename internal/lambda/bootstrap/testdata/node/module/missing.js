import 'left-pad-of-nobody';
