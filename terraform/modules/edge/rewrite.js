// Takes /api off the path: the API's routes are written without it. "/api" alone becomes "/".
function handler(event) {
  var request = event.request;
  request.uri = request.uri.replace(/^\/api(?=\/|$)/, '') || '/';
  return request;
}
