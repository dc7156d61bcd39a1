/**
 * The few lines that each shell needs: they hand the words to `sluice completion words` and the answer to the shell.
 *
 * What may come next is decided in one place for all shells and asked of the very program that is being called, so a script that was installed
 * once knows the commands of every later release. The price is a process per key press, a tenth of a second or two.
 *
 * The answer is a line per candidate, `WORD` or `WORD<tab>WHAT IT IS`, or the one line `:files`. A word that ends in `=` goes on.
 */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** bash cuts words at `=` and `:` and replaces only what is behind the last one; so does what is offered to it. */
const BASH = `# sluice completion for bash; install: source <(sluice completion bash)
_sluice() {
  local line="\${COMP_LINE:0:COMP_POINT}" words current lead candidates
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current="\${words[\${#words[@]}-1]}"
  lead="\${current%"\${current##*[=:]}"}"
  COMPREPLY=()
  candidates="$("\${words[0]}" completion words -- "\${words[@]:1}" 2>/dev/null)" || return
  if [[ $candidates == :files ]]; then
    compopt -o default 2>/dev/null
    return
  fi
  local candidate
  while IFS=$'\\t' read -r candidate _; do
    [[ -n $candidate ]] || continue
    [[ $candidate == *= ]] && compopt -o nospace 2>/dev/null
    COMPREPLY+=("\${candidate#"$lead"}")
  done <<< "$candidates"
}
complete -F _sluice sluice
`;

const ZSH = `#compdef sluice
# sluice completion for zsh; install: source <(sluice completion zsh)
_sluice() {
  local -a lines plain going
  local line word about
  lines=("\${(@f)$("\${words[1]}" completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == ':files' ]]; then
    _files
    return
  fi
  for line in $lines; do
    word="\${line%%$'\\t'*}"
    about="\${line#*$'\\t'}"
    if [[ $word == *= ]]; then
      going+=("$word")
    elif [[ $about == $line ]]; then
      plain+=("\${word//:/\\\\:}")
    else
      plain+=("\${word//:/\\\\:}:$about")
    fi
  done
  (( \${#going} )) && compadd -S '' -- $going
  (( \${#plain} )) && _describe sluice plain
}
compdef _sluice sluice
`;

const FISH = `# sluice completion for fish; install: sluice completion fish > ~/.config/fish/completions/sluice.fish
function __sluice_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l lines ($words[1] completion words -- $words[2..-1] 2>/dev/null)
  if test "$lines[1]" = ':files'
    __fish_complete_path (commandline -ct)
    return
  end
  printf '%s\\n' $lines
end
complete -c sluice -f -a '(__sluice_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
