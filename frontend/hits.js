// What was found: videos, and the moments in which it is said.

import { linkTo, make, webAddress } from "/dom.js";
import { day, direction, languageName, length, many, moment } from "/format.js";

/** The element of one hit of `GET /api/search`. */
export function hitElement(hit) {
  const text = make(
    "div",
    { class: "hit-text" },
    make("h2", { dir: "auto" }, linkTo(hit.url, {}, ...marked(hit.title))),
    make("p", { class: "facts" }, ...facts(hit)),
  );
  if (hit.description.some((segment) => segment.match)) {
    text.append(make("p", { class: "description", dir: "auto" }, ...marked(hit.description)));
  }
  if (hit.moments.length) text.append(momentsElement(hit));
  return make("article", { class: "hit", "data-video-id": hit.video_id }, thumbnail(hit), text);
}

function momentsElement(hit) {
  const spoken = hit.language ? { lang: hit.language, dir: direction(hit.language) } : { dir: "auto" };
  const list = make("ol", { class: "moments" });
  for (const each of hit.moments) {
    list.append(
      make(
        "li",
        {},
        linkTo(
          each.url,
          {},
          make("time", { datetime: `PT${Math.floor(each.start)}S` }, moment(each.start)),
          " ",
          make("span", { class: "snippet", ...spoken }, ...marked(each.snippet)),
        ),
      ),
    );
  }
  const more = hit.moment_count - hit.moments.length;
  if (more > 0) list.append(make("li", { class: "quiet" }, `and ${many(more, "more moment", "more moments")}`));
  return list;
}

/** SEGMENTS, `[{text, match}]`, as text and marks. */
function marked(segments) {
  return segments.map(({ text, match }) => (match ? make("mark", {}, text) : text));
}

function facts(hit) {
  const parts = [];
  if (hit.channel) parts.push(make("span", { class: "channel", dir: "auto" }, hit.channel));
  if (hit.published_at) parts.push(make("time", { datetime: hit.published_at }, day(hit.published_at)));
  if (hit.language) {
    parts.push(make("span", {}, languageName(hit.language) + (hit.generated ? ", automatic captions" : "")));
  } else {
    parts.push(make("span", {}, "no captions"));
  }
  return parts;
}

function thumbnail(hit) {
  const source = hit.thumbnail_url && webAddress(hit.thumbnail_url);
  const image = source
    ? make("img", { src: source, alt: "", width: "320", height: "180", loading: "lazy", decoding: "async" })
    : null;
  // What the picture shows is said beside it: one link to the video is enough for the keyboard.
  image?.addEventListener("error", () => image.remove());
  const frame = linkTo(hit.url, { class: "thumbnail", tabindex: "-1", "aria-hidden": "true" });
  if (image) frame.append(image);
  if (hit.duration_seconds) frame.append(make("span", { class: "duration" }, length(hit.duration_seconds)));
  return frame;
}
